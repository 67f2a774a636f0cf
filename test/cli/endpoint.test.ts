/** Pure functions around control planes: endpoints, names, versions, what may be said. Nothing runs beside them. */
import { describe, expect, test } from "vitest";
import { endpointOf, nameOf, regionOf } from "../../packages/cli/src/context/endpoint.ts";
import { masked } from "../../packages/cli/src/output.ts";
import { advice } from "../../packages/cli/src/skew.ts";

describe("endpoints", () => {
  test("one control plane has one spelling", () => {
    const spellings = ["https://M.Example.com", "https://m.example.com/", " https://m.example.com:443//?a=b#c"];
    expect(spellings.map(one => endpointOf(one, false))).toEqual(spellings.map(() => "https://m.example.com"));
    expect(endpointOf("https://m.example.com/muster/", false)).toBe("https://m.example.com/muster");
  });

  test("plain http is for this machine, and for networks that one trusts", () => {
    for (const host of ["localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:8080"])
      expect(endpointOf(`http://${host}`, false)).toMatch(/^http:/);
    for (const host of ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "128.0.0.1"]) {
      expect(() => endpointOf(`http://${host}`, false)).toThrow("in the clear");
      expect(endpointOf(`http://${host}`, true)).toBe(`http://${host}`);
    }
  });

  test.each(["", "m.example.com", "ftp://m.example.com", "file:///etc/passwd", "https://", "javascript:alert(1)"])(
    "'%s' is none",
    text => {
      expect(() => endpointOf(text, true)).toThrow("is not an endpoint");
    },
  );

  test("a context is called as its host", () => {
    expect(nameOf("https://abc123.execute-api.eu-central-1.amazonaws.com")).toBe(
      "abc123.execute-api.eu-central-1.amazonaws.com",
    );
    expect(nameOf("http://127.0.0.1:8080/x")).toBe("127.0.0.1-8080");
    expect(nameOf("http://[::1]:8080")).toBe("1--8080");
    expect(nameOf(`https://${"a".repeat(60)}.example.com`)).toMatch(/^a{60}\.ex$/);
  });

  test("API Gateway's names say their region", () => {
    const at = (host: string) => regionOf(`https://abc123.execute-api.${host}`);
    expect(at("eu-central-1.amazonaws.com")).toBe("eu-central-1");
    expect(at("cn-north-1.amazonaws.com.cn")).toBe("cn-north-1");
    for (const host of ["eu-central-1.amazonaws.com.example.com", "amazonaws.com"])
      expect(() => at(host)).toThrow("does not say its AWS region");
  });
});

test("versions may be one minor apart, and no more", () => {
  const own = "1.4.2";
  for (const near of ["1.4.9", "1.3.0", "1.5.0", "1.5.0-rc.1", "next", ""]) expect(advice(own, near)).toBeUndefined();
  for (const ahead of ["1.6.0", "2.4.0", "2.0.0"]) expect(advice(own, ahead)).toContain("newer muster");
  for (const behind of ["1.2.9", "0.4.2"]) expect(advice(own, behind)).toContain("deployed anew");
});

test("tokens of all kinds are never said; their ids are", () => {
  const secret = "0123456789abcdef".repeat(4);
  const id = "tok_01JABCDEFGHJKMNPQRSTVWXYZ0";
  expect(masked(`'mst_${id}_${secret}' and mse_main.hst_1.1.1.${secret}, msh_main.hst_1.${secret}`)).toBe(
    "'mst_***' and mse_***, msh_***",
  );
  expect(masked(`mst_… of ${id}`)).toBe(`mst_… of ${id}`);
});
