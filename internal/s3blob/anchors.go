package s3blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/blob"
	"plumbline/internal/throttle"
	"plumbline/ledger"
)

// AnchorsClient is what Anchors calls of S3; *s3.Client is one.
type AnchorsClient interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput, opts ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
}

// AnchorPrefix is what the keys of anchors begin with.
const AnchorPrefix = "anchors/"

// Anchors are ledger.Anchors in a bucket whose objects are locked by default:
// each is one object, which its name says all of. Safe for concurrent use.
type Anchors struct {
	client AnchorsClient
	bucket string
}

// NewAnchors returns the anchors in the bucket of this name.
func NewAnchors(c AnchorsClient, bucket string) *Anchors { return &Anchors{c, bucket} }

// Keep is ledger.Anchors'. A second one of a name is a second version.
func (a *Anchors) Keep(ctx context.Context, x ledger.Anchor) error {
	key, body := AnchorPrefix+x.Name(), []byte(x.String()+"\n")
	sum := sha256.Sum256(body) // S3 takes no object under a lock without a checksum
	_, err := a.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &a.bucket, Key: &key, Body: bytes.NewReader(body), ContentType: aws.String("text/plain; charset=utf-8"),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		return fmt.Errorf("write object %q to bucket %q: %w", key, a.bucket, throttle.Wrap(err, blob.ErrThrottled))
	}
	return nil
}

// All is ledger.Anchors'. It lists versions, not objects: a lock keeps every
// version, and a marker of deletion would hide them from a list of objects.
func (a *Anchors) All(ctx context.Context) iter.Seq2[ledger.Anchor, error] {
	return func(yield func(ledger.Anchor, error) bool) {
		pages := s3.NewListObjectVersionsPaginator(a.client, &s3.ListObjectVersionsInput{Bucket: &a.bucket, Prefix: aws.String(AnchorPrefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(ledger.Anchor{}, fmt.Errorf("list bucket %q: %w", a.bucket, throttle.Wrap(err, blob.ErrThrottled)))
				return
			}
			for _, v := range page.Versions {
				x, ok := ledger.ParseAnchor(strings.TrimPrefix(aws.ToString(v.Key), AnchorPrefix))
				if ok && !yield(x, nil) {
					return
				}
			}
		}
	}
}
