/**
 * Asking the control plane as the machine: signed with its role's credentials (AWS Signature Version 4), since an old curl
 * cannot. (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
 */
export const ASK = `# hmac KEY TEXT: the key as openssl takes it
hmac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "$1" | sed 's/.* //'; }
sum() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
field() { sed -n "s/.*\\"$1\\" *: *\\"\\([^\\"]*\\)\\".*/\\1/p" <<<"$2"; }
about() { curl -fsS --max-time 5 -H "x-aws-ec2-metadata-token: $SEEN" "$METADATA/latest/meta-data/$1"; }

seen() { curl -fsS --max-time 5 -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/latest/api/token"; }

# ask PATH
ask() {
  local rest=\${ENDPOINT#*://} names='host;x-amz-date;x-amz-security-token' SEEN role creds now scope token key part text
  SEEN=$(seen) &&
    role=$(about iam/security-credentials/) && creds=$(about "iam/security-credentials/$role") || return
  token=$(field Token "$creds")
  now=$(date -u +%Y%m%dT%H%M%SZ)
  scope=\${now%T*}/$REGION/execute-api/aws4_request
  text=$(printf '%s\\n' GET "\${rest#"\${rest%%/*}"}$1" '' "host:\${rest%%/*}" "x-amz-date:$now" "x-amz-security-token:$token" '' "$names" "$(sum '')")
  text=$(printf '%s\\n' AWS4-HMAC-SHA256 "$now" "$scope" "$(sum "$text")")
  key=key:AWS4$(field SecretAccessKey "$creds")
  for part in \${scope//\\// }; do key=hexkey:$(hmac "$key" "$part"); done
  curl -fsS --max-time 30 -H "x-amz-date: $now" -H "x-amz-security-token: $token" -H "Authorization: AWS4-HMAC-SHA256 Credential=$(field AccessKeyId "$creds")/$scope, SignedHeaders=$names, Signature=$(hmac "$key" "$text")" "$ENDPOINT$1"
}

`;
