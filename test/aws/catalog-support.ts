/**
 * What moto does not have of what a catalog is made of: answered by the edge, in the shapes that AWS documents and public
 * programs have recorded. OURS: that AWS answers so today is not proved by it.
 */
import type { Gap } from "./support/edge.ts";
import { AwsError } from "./support/edge.ts";

/** Images that moto has, in place of those that the parameters name on AWS. */
export const UBUNTU = "ami-785db401";
export const DEEP = "ami-1e749f67";

const PARAMETERS: Readonly<Record<string, string>> = {
  "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id": "ami-0aaaaaaaaaaaaaaaa",
  "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id": UBUNTU,
  "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id": DEEP,
  // The newest ones, which are not to be seen in DescribeImages yet.
  "/aws/service/deeplearning/ami/arm64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id": "ami-0bbbbbbbbbbbbbbbb",
};

const getParameters: Gap = input => {
  const names = input.Names as string[];
  if (names.length > 10) throw new AwsError("ValidationException", "Member must have length less than or equal to 10");
  const known = names.filter(name => PARAMETERS[name] !== undefined);
  return {
    Parameters: known.map(Name => ({ Name, Type: "String", Value: PARAMETERS[Name], Version: 1, DataType: "text" })),
    InvalidParameters: names.filter(name => PARAMETERS[name] === undefined),
  };
};

/** One product of the price list, as a text in its answer. */
export function product(
  instanceType: string,
  usd: string,
  more: { marketoption?: string; unit?: string } = {},
): string {
  const { marketoption = "OnDemand", unit = "Hrs" } = more;
  const sku = `SKU${instanceType.replace(/\W/g, "").toUpperCase()}`;
  const term = `${sku}.JRTCKXETXF`;
  const rate = { unit, endRange: "Inf", beginRange: "0", rateCode: `${term}.6YS6EN2CT7`, appliesTo: [] };
  return JSON.stringify({
    product: {
      productFamily: "Compute Instance",
      attributes: { instanceType, marketoption, operatingSystem: "Linux", tenancy: "Shared", regionCode: "us-east-1" },
      sku,
    },
    serviceCode: "AmazonEC2",
    terms: {
      OnDemand: {
        [term]: {
          priceDimensions: {
            [`${term}.6YS6EN2CT7`]: { ...rate, description: `$${usd} per hour`, pricePerUnit: { USD: usd } },
          },
          sku,
          effectiveDate: "2026-01-01T00:00:00Z",
          offerTermCode: "JRTCKXETXF",
          termAttributes: {},
        },
      },
      Reserved: { [`${sku}.HU7G6KETJZ`]: { priceDimensions: {}, offerTermCode: "HU7G6KETJZ" } },
    },
    version: "20260101000000",
    publicationDate: "2026-01-01T00:00:00Z",
  });
}

const PRODUCTS = [
  [product("m7i.xlarge", "0.2016000000"), product("g5.xlarge", "1.0060000000"), "not JSON"],
  [
    product("p5.48xlarge", "55.0400000000"),
    product("p5.48xlarge", "0.0000000000", { marketoption: "CapacityBlock" }),
    product("p5en.48xlarge", "0.0000000000"),
    product("g6.xlarge", "20.0000000000", { unit: "Quantity" }),
    JSON.stringify({ product: { attributes: { instanceType: "g6e.xlarge" } }, terms: {} }),
  ],
];

const getProducts: Gap = input => {
  const page = Number(input.NextToken ?? 0);
  const next = page + 1 < PRODUCTS.length ? { NextToken: String(page + 1) } : {};
  return { FormatVersion: "aws_v1", PriceList: PRODUCTS[page], ...next };
};

const quota = (QuotaCode: string, Value: number) => ({
  ServiceCode: "ec2",
  ServiceName: "Amazon Elastic Compute Cloud (Amazon EC2)",
  QuotaArn: `arn:aws:servicequotas:us-east-1:123456789012:ec2/${QuotaCode}`,
  QuotaCode,
  QuotaName: "a name",
  Value,
  Unit: "None",
  Adjustable: true,
  GlobalQuota: false,
});

const listServiceQuotas: Gap = input =>
  input.NextToken === undefined
    ? { Quotas: [quota("L-1216C47A", 64), quota("L-0263D0A3", 5)], NextToken: "more" }
    : { Quotas: [quota("L-DB2E81BA", 8)] };

const listDefaults: Gap = () => ({ Quotas: [quota("L-1216C47A", 5), quota("L-417A185B", 0)] });

export const gaps: Readonly<Record<string, Gap>> = {
  "ssm.GetParameters": getParameters,
  "pricing.GetProducts": getProducts,
  "servicequotas.ListServiceQuotas": listServiceQuotas,
  "servicequotas.ListAWSDefaultServiceQuotas": listDefaults,
};
