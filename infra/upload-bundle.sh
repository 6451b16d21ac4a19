#!/usr/bin/env bash
# Puts the organisation's policy and rules, as `make synth` packed them, into the
# bucket of reports of each region that is synthesized. The key carries the
# content's hash: what is there already is the same. Does nothing where the
# deployment names no policy.
set -eu -o pipefail
cd "$(dirname "$0")"
key=$(node -p '
  const fs = require("fs"), keys = new Set();
  for (const f of fs.readdirSync("cdk.out").filter((f) => /^PlumblineSuite-.*\.template\.json$/.test(f)))
    for (const r of Object.values(JSON.parse(fs.readFileSync("cdk.out/" + f)).Resources))
      keys.add((((r.Properties || {}).Environment || {}).Variables || {}).BUNDLE_KEY || "");
  keys.delete("");
  [...keys].join("\n")')
[ -n "$key" ] || exit 0
if [ ! -f "../dist/$key" ]; then
  echo "upload-bundle: dist/$key is not there. run make synth" >&2
  exit 1
fi
for template in cdk.out/PlumblineSuite-*.template.json; do
  region=${template#cdk.out/PlumblineSuite-}
  region=${region%.template.json}
  bucket=$(aws cloudformation describe-stacks --region "$region" --stack-name PlumblineData \
    --query "Stacks[0].Outputs[?OutputKey=='ReportBucket'].OutputValue" --output text)
  echo "upload-bundle: s3://$bucket/$key ($region)"
  aws s3api put-object --region "$region" --bucket "$bucket" --key "$key" --body "../dist/$key" \
    --checksum-algorithm SHA256 --content-type application/zip > /dev/null
done
