// Package s3blob keeps objects in an S3 bucket: the backend of blob.Store on AWS.
package s3blob

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumbline/blob"
	"plumbline/internal/throttle"
)

// Client is what a Bucket calls of S3; *s3.Client is one.
type Client interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Bucket is a blob.Store over one bucket. Safe for concurrent use.
type Bucket struct {
	client Client
	name   string
}

// New returns the store of a bucket.
func New(c Client, bucket string) *Bucket { return &Bucket{client: c, name: bucket} }

// Put stores v as bytes. S3 is told their SHA-256, so it refuses bytes that
// were damaged on the way.
func (b *Bucket) Put(ctx context.Context, key string, v any) (blob.Ref, error) {
	body, ref, err := blob.Encode(key, v)
	if err != nil {
		return blob.Ref{}, err
	}
	sum, err := hex.DecodeString(ref.SHA256)
	if err != nil {
		return blob.Ref{}, fmt.Errorf("hash of object %q: %w", key, err)
	}
	_, err = b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &b.name,
		Key:            &key,
		Body:           bytes.NewReader(body),
		ContentType:    aws.String(contentType(key)),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum)),
	})
	if err != nil {
		return blob.Ref{}, fmt.Errorf("write object %q to bucket %q: %w", key, b.name, throttle.Wrap(err, blob.ErrThrottled))
	}
	return ref, nil
}

// Get reads the bytes of r and checks them against its hash.
func (b *Bucket) Get(ctx context.Context, r blob.Ref, v any) error {
	if err := blob.ValidKey(r.Key); err != nil {
		return err
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &r.Key})
	if errors.As(err, new(*types.NoSuchKey)) {
		return fmt.Errorf("read object %q of bucket %q: %w", r.Key, b.name, blob.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("read object %q of bucket %q: %w", r.Key, b.name, throttle.Wrap(err, blob.ErrThrottled))
	}
	body, err := io.ReadAll(out.Body)
	if err := errors.Join(err, out.Body.Close()); err != nil {
		return fmt.Errorf("read object %q of bucket %q: %w", r.Key, b.name, err)
	}
	return blob.Decode(r, body, v)
}

// contentType lets a browser show what is stored: reports are pages and JSON, all else is JSON.
func contentType(key string) string {
	switch path.Ext(key) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".zip":
		return "application/zip"
	}
	return "application/json"
}
