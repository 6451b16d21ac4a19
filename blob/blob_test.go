package blob_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"plumbline/blob"
	"plumbline/blob/blobtest"
)

func TestMemory(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return new(blob.Memory) })
}

func TestSplitBehavesAsOneStore(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store {
		return blob.Split{Prefix: "work/", Under: new(blob.Memory), Rest: new(blob.Memory)}
	})
}

func TestSplitSendsEachKeyToItsSide(t *testing.T) {
	under, rest := new(blob.Memory), new(blob.Memory)
	s := blob.Split{Prefix: "work/", Under: under, Rest: rest}
	for _, key := range []string{"work/a", "work/b", "reports/a"} {
		if _, err := s.Put(context.Background(), key, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if under.Len() != 2 || rest.Len() != 1 {
		t.Errorf("under has %d, rest %d values; want 2 and 1", under.Len(), rest.Len())
	}
}

func TestMemoryHandsBackThePointer(t *testing.T) {
	type big struct{ n int }
	m, ctx := new(blob.Memory), context.Background()
	v := &big{n: 1}
	ref, err := m.Put(ctx, "a/b", v)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []blob.Store{m, blob.Split{Prefix: "a/", Under: m}} {
		if got, err := blob.Get[big](ctx, s, ref); err != nil || got != v {
			t.Errorf("got %p, %v, want the pointer that was put", got, err)
		}
	}
	if _, err := blob.Get[string](ctx, m, ref); err == nil || !strings.Contains(err.Error(), "holds a *blob_test.big") {
		t.Errorf("wrong type: %v", err)
	}
	if err := m.Get(ctx, ref, new(string)); err == nil {
		t.Error("wrong type is read")
	}
	if err := m.Get(ctx, ref, "no pointer"); err == nil {
		t.Error("a value that is no pointer is read into")
	}
}

func TestDropForgetsOneFolder(t *testing.T) {
	m, ctx := new(blob.Memory), context.Background()
	for _, key := range []string{"work/s/t1/snapshot", "work/s/t1/records", "work/s/t2/snapshot", "top"} {
		if _, err := m.Put(ctx, key, key); err != nil {
			t.Fatal(err)
		}
	}
	m.Drop("work/s/t1")
	if _, err := blob.Get[string](ctx, m, blob.Ref{Key: "work/s/t1/snapshot"}); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a dropped value: %v", err)
	}
	if m.Len() != 2 {
		t.Errorf("%d values left, want 2", m.Len())
	}
}

func TestSegment(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, text := range []string{"payments-prod", "../../etc/passwd", "cdk.out/App.template.json", "App Ünited", "", ".", "-", long, long + "b", "a/b", "a-b", "arn:aws:x", ".x", "x."} {
		seg := blob.Segment(text)
		if err := blob.ValidKey(seg); err != nil || strings.Contains(seg, "/") {
			t.Errorf("Segment(%q) = %q: %v", text, seg, err)
		}
	}
	if got := blob.Segment("payments-prod"); got != "payments-prod" {
		t.Errorf("a name that is fine became %q", got)
	}
	if blob.Segment("a/b") == blob.Segment("a-b") || blob.Segment(long) == blob.Segment(long+"b") {
		t.Error("two texts share a segment")
	}
}

func FuzzSegment(f *testing.F) {
	f.Add("a/b")
	f.Fuzz(func(t *testing.T, text string) {
		if err := blob.ValidKey(blob.Segment(text)); err != nil {
			t.Error(err)
		}
	})
}

func TestBytes(t *testing.T) {
	b, ref, err := blob.Encode("a/b", &blob.Raw{'x'})
	if err != nil || string(b) != "x" || ref.SizeBytes != 1 || len(ref.SHA256) != 64 {
		t.Errorf("Encode = %q, %+v, %v", b, ref, err)
	}
	var raw blob.Raw
	if err := blob.Decode(ref, b, &raw); err != nil || string(raw) != "x" {
		t.Errorf("Decode = %q, %v", raw, err)
	}
	if err := blob.Decode(ref, []byte("y"), &raw); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("other bytes: %v, want ErrChanged", err)
	}
	if err := blob.Decode(blob.Ref{Key: "a/b"}, []byte("{"), new(struct{})); err == nil || !strings.Contains(err.Error(), `decode object "a/b"`) {
		t.Errorf("broken JSON: %v", err)
	}
	for _, bad := range []struct {
		key string
		v   any
	}{{"../x", 1}, {"a", func() {}}} {
		if _, _, err := blob.Encode(bad.key, bad.v); err == nil {
			t.Errorf("%q of a %T was encoded", bad.key, bad.v)
		}
	}
}
