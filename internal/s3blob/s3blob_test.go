package s3blob_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"plumbline/blob"
	"plumbline/blob/blobtest"
	"plumbline/internal/s3blob"
)

const bucket = "reports"

// open returns a bucket of a server in this process, by way of the real client.
func open(t *testing.T) (*s3blob.Bucket, *s3.Client) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{
		BaseEndpoint: &server.URL, UsePathStyle: true, Region: "eu-west-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	return s3blob.New(client, bucket), client
}

func TestBucket(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { b, _ := open(t); return b })
}

func TestReportsOpenInABrowser(t *testing.T) {
	b, client := open(t)
	for key, want := range map[string]string{
		"reports/P/s1/report.html": "text/html; charset=utf-8", "reports/P/s1/report.json": "application/json",
		"work/s1/t1/snapshot": "application/json", "bundle.zip": "application/zip",
	} {
		if _, err := b.Put(t.Context(), key, blob.Raw("x")); err != nil {
			t.Fatal(err)
		}
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(head.ContentType); got != want {
			t.Errorf("%s has content type %q, want %q", key, got, want)
		}
	}
}

// service stands in for S3 where an answer is wanted that a server in this process never gives.
type service struct {
	get func(*s3.GetObjectInput) (*s3.GetObjectOutput, error)
	put func(*s3.PutObjectInput) (*s3.PutObjectOutput, error)
}

func (s service) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return s.get(in)
}

func (s service) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return s.put(in)
}

func TestPutSendsTheHash(t *testing.T) {
	// SHA-256 of the three bytes "abc". Source: FIPS 180-4, example 1.
	const want = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
	b := s3blob.New(service{put: func(in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
		if got := aws.ToString(in.ChecksumSHA256); got != want {
			t.Errorf("checksum %q, want %q", got, want)
		}
		return &s3.PutObjectOutput{}, nil
	}}, bucket)
	if _, err := b.Put(t.Context(), "a", blob.Raw("abc")); err != nil {
		t.Fatal(err)
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("connection reset")
	for _, tc := range []struct {
		name string
		err  error
		want error // beside err itself
		not  []error
	}{
		{"missing", &types.NoSuchKey{}, blob.ErrNotFound, []error{blob.ErrThrottled}},
		{"throttled", &smithy.GenericAPIError{Code: "SlowDown"}, blob.ErrThrottled, []error{blob.ErrNotFound}},
		{"denied", &smithy.GenericAPIError{Code: "AccessDenied"}, nil, []error{blob.ErrNotFound, blob.ErrThrottled}},
		{"no such bucket", &types.NoSuchBucket{}, nil, []error{blob.ErrNotFound, blob.ErrThrottled}},
		{"no network", broken, broken, []error{blob.ErrNotFound, blob.ErrThrottled}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := s3blob.New(service{
				get: func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) { return nil, tc.err },
				put: func(*s3.PutObjectInput) (*s3.PutObjectOutput, error) { return nil, tc.err },
			}, bucket)
			err := b.Get(t.Context(), blob.Ref{Key: "a/b"}, new(string))
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), `object "a/b" of bucket "reports"`) {
				t.Errorf("Get: %v, want %v", err, tc.want)
			}
			for _, not := range tc.not {
				if errors.Is(err, not) {
					t.Errorf("Get: %v is taken for %v", err, not)
				}
			}
			_, err = b.Put(t.Context(), "a/b", 1)
			if err == nil || errors.Is(err, blob.ErrThrottled) != errors.Is(tc.want, blob.ErrThrottled) {
				t.Errorf("Put: %v", err)
			}
		})
	}
}

func TestABodyThatBreaksOff(t *testing.T) {
	b := s3blob.New(service{get: func(*s3.GetObjectInput) (*s3.GetObjectOutput, error) {
		return &s3.GetObjectOutput{Body: io.NopCloser(io.MultiReader(strings.NewReader(`{"a`), breaks{}))}, nil
	}}, bucket)
	if err := b.Get(t.Context(), blob.Ref{Key: "a"}, new(map[string]string)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v", err)
	}
}

type breaks struct{}

func (breaks) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
