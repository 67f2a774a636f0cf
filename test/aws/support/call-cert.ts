/** A certificate for 127.0.0.1 that nobody trusts yet, made by the python that moto runs on: Node makes none. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findPython } from "./python.ts";

const MAKE = `
import datetime, ipaddress, json
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
now = datetime.datetime.now(datetime.timezone.utc)
cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
  .serial_number(x509.random_serial_number())
  .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
  .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
  .sign(key, hashes.SHA256()))
pem = serialization.Encoding.PEM
print(json.dumps({"cert": cert.public_bytes(pem).decode(), "key": key.private_bytes(
  pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()}))
`;

export async function makeCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const { stdout } = await promisify(execFile)(await findPython(), ["-c", MAKE]);
  return JSON.parse(stdout);
}
