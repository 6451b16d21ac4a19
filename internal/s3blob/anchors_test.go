package s3blob_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumbline/internal/s3blob"
	"plumbline/ledger"
	"plumbline/ledger/ledgertest"
)

// TestAnchors: also those that somebody hid behind a marker of deletion.
func TestAnchors(t *testing.T) {
	_, client := open(t)
	if _, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String(bucket), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	anchors := s3blob.NewAnchors(client, bucket)
	ledgertest.Anchors(t, anchors)
	count := func() int {
		t.Helper()
		seen := map[ledger.Anchor]bool{}
		for a, err := range anchors.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			seen[a] = true
		}
		return len(seen)
	}
	before := count()
	page, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Contents {
		if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: o.Key}); err != nil {
			t.Fatal(err)
		}
	}
	if after := count(); before != 3 || after != before {
		t.Errorf("%d anchors, then %d", before, after)
	}
}
