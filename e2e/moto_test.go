//go:build e2e

package e2e_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/blob"
	"plumbline/blob/blobtest"
	"plumbline/internal/configrules"
	"plumbline/internal/s3blob"
	"plumbline/scan"
)

// moto starts the emulator that answers more errors.
func moto(t *testing.T) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	url := "http://127.0.0.1:" + port
	e, err := start(filepath.Join(suite.folder, "moto"), url, url+"/moto-api/", []string{"PATH=" + os.Getenv("PATH"), "HOME=" + suite.folder}, "moto.venv/bin/moto_server", "-H", "127.0.0.1", "-p", port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	return url
}

// TestErrors holds the adapters of S3 and AWS Config to what their callers are
// promised, against an emulator that refuses as AWS does.
func TestErrors(t *testing.T) {
	url := moto(t)
	client := newRegion(url, regions[0]).s3
	var number atomic.Int64
	t.Run("S3 keeps what a store promises", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blob.Store {
			name := "store-" + string(rune('a'+number.Add(1)))
			if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
				t.Fatal(err)
			}
			return s3blob.New(client, name)
		})
	})
	t.Run("a bucket that is not there", func(t *testing.T) {
		store := s3blob.New(client, "nowhere")
		_, err := store.Put(t.Context(), "work/a", map[string]int{})
		if err == nil || !strings.Contains(err.Error(), "NoSuchBucket") || errors.Is(err, blob.ErrThrottled) {
			t.Errorf("put: %v, want NoSuchBucket, which no retry mends", err)
		}
		err = store.Get(t.Context(), blob.Ref{Key: "work/a"}, new(map[string]int))
		if err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get: %v, want an error that does not tell a lost object", err)
		}
	})
	t.Run("Config refuses", func(t *testing.T) {
		c := configservice.New(configservice.Options{Region: regions[0], BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), Retryer: aws.NopRetryer{}})
		answers := configrules.New(c)
		one := []scan.Evaluation{{Type: "AWS::S3::Bucket", ID: "cards", Compliance: scan.NonCompliant, At: time.Now()}}
		for _, tc := range []struct {
			name, token string
			list        []scan.Evaluation
			want        string
		}{
			{"no answers", "token", nil, "InvalidParameterValueException"},
			{"an empty token", "", one, "InvalidResultTokenException"},
		} {
			if err := answers.Put(t.Context(), tc.token, tc.list); err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, scan.ErrThrottled) {
				t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
			}
		}
	})
}
