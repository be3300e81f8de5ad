#!/usr/bin/env bash
# A token and a query with curl, openssl and jq: every step of the protocol, to look at.
#
#     ./with_curl.sh CLIENT_FILE ['{ viewer { kind } }']
set -euo pipefail
program=$1 query=${2:-'{ viewer { kind clientId scopes } }'}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

of() { jq -er "$1" "$program"; }
url64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hex() { tr -- '-_' '+/' | awk '{ n = length($0) % 4; print $0 (n == 2 ? "==" : n == 3 ? "=" : "") }' |
  openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n'; }
raw() { local hex; hex=$(tr -d '\n'); printf '%b' "$(sed 's/../\\x&/g' <<<"$hex")"; }

# jws KEY HEADER CLAIMS: a signed JWT (RFC 7515). openssl signs in DER; JOSE wants r and s, 32 bytes each.
jws() {
  local text r s
  text="$(printf %s "$2" | url64).$(printf %s "$3" | url64)"
  { read -r r; read -r s; } < <(printf %s "$text" | openssl dgst -sha256 -sign "$1" -binary |
    openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p')
  printf '%s.%s' "$text" "$(printf '%64s%64s' "$r" "$s" | tr ' ' 0 | raw | url64)"
}
times() { jq -nc --arg jti "$(openssl rand -hex 16)" '{jti: $jti, iat: (now | floor), exp: (now + 60 | floor)}'; }

# The program's own key from its JWK (as RFC 5915 writes it), and a fresh one to which the token will be bound.
printf '30770201010420%sa00a06082a8648ce3d030107a14403420004%s%s' \
  "$(of .jwk.d | hex)" "$(of .jwk.x | hex)" "$(of .jwk.y | hex)" | raw |
  openssl ec -inform DER -out "$work/own.pem" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$work/dpop.pem"
openssl ec -in "$work/dpop.pem" -pubout -outform DER -out "$work/dpop.der" 2>/dev/null
jwk=$(jq -nc --arg x "$(tail -c 64 "$work/dpop.der" | head -c 32 | url64)" \
  --arg y "$(tail -c 32 "$work/dpop.der" | url64)" '{kty: "EC", crv: "P-256", x: $x, y: $y}')

# proof URL MORE: a DPoP proof (RFC 9449) for one POST.
proof() {
  jws "$work/dpop.pem" "$(jq -nc --argjson jwk "$jwk" '{typ: "dpop+jwt", alg: "ES256", jwk: $jwk}')" \
    "$(times | jq -c --arg url "$1" --argjson more "$2" '{jti, iat, htm: "POST", htu: $url} + $more')"
}

issuer=$(of .issuer) resource=$(of .resource) client=$(of .client_id)
endpoint=$(curl -fsS "$issuer/.well-known/oauth-authorization-server" | jq -er .token_endpoint)
assertion=$(jws "$work/own.pem" "$(jq -c '{alg: "ES256", kid: .jwk.kid}' "$program")" \
  "$(times | jq -c --arg me "$client" --arg aud "$issuer" '. + {iss: $me, sub: $me, aud: $aud}')")
token=$(curl -sS "$endpoint" -H "DPoP: $(proof "$endpoint" '{}')" \
  -d grant_type=client_credentials -d scope=graphql:query --data-urlencode "resource=$resource" \
  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
  -d "client_assertion=$assertion" | jq -er .access_token)

ath=$(printf %s "$token" | openssl dgst -sha256 -binary | url64)
curl -sS "$resource" -H 'content-type: application/json' -H "Authorization: DPoP $token" \
  -H "DPoP: $(proof "$resource" "{\"ath\": \"$ath\"}")" -d "$(jq -nc --arg query "$query" '{query: $query}')"
