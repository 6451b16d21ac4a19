package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

type in struct{ Name string }
type out struct {
	Greeting string `json:"greeting"`
}

func TestOf(t *testing.T) {
	slow := errors.New("slow down")
	for _, tc := range []struct {
		name    string
		payload string
		handle  func(context.Context, in) (out, error)
		want    string
		errName string
		message string
	}{
		{
			name: "answers", payload: `{"Name":"Kim","Later":1}`,
			handle: func(_ context.Context, i in) (out, error) { return out{"hello " + i.Name}, nil },
			want:   `{"greeting":"hello Kim"}`,
		},
		{
			name: "a name deep in the chain", payload: `{}`,
			handle: func(context.Context, in) (out, error) {
				return out{}, fmt.Errorf("page 3: %w", fmt.Errorf("list: %w", &tasks.Error{Name: "Throttled", Err: slow}))
			},
			errName: "Throttled", message: "page 3: list: Throttled: slow down",
		},
		{
			name: "an error without a name", payload: `{}`,
			handle:  func(context.Context, in) (out, error) { return out{}, slow },
			errName: "Unexpected", message: "slow down",
		},
		{
			name: "a payload that is no JSON", payload: `{`,
			handle:  func(context.Context, in) (out, error) { return out{}, nil },
			errName: "BadInput", message: "decode input",
		},
		{
			name: "a panic", payload: `{}`,
			handle:  func(context.Context, in) (out, error) { var m map[string]int; m["x"] = 1; return out{}, nil },
			errName: "Unexpected", message: "panic: assignment to entry in nil map",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tasks.Of(tc.handle).Invoke(t.Context(), []byte(tc.payload))
			if tc.errName != "" {
				var failed messages.InvokeResponse_Error
				if !errors.As(err, &failed) || failed.Type != tc.errName || !strings.HasPrefix(failed.Message, tc.message) {
					t.Errorf("error = %v, want %s: %s", err, tc.errName, tc.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An error may quote what an event brought: it is told in part, and whole runes of it.
func TestAnErrorHasAnEnd(t *testing.T) {
	_, err := tasks.Of(func(context.Context, in) (out, error) {
		return out{}, errors.New("é" + strings.Repeat("aé", 100_000))
	}).Invoke(t.Context(), []byte(`{}`))
	var failed messages.InvokeResponse_Error
	if !errors.As(err, &failed) || len(failed.Message) > 8300 || !utf8.ValidString(failed.Message) || !strings.HasSuffix(failed.Message, "aé… (300002 bytes in all)") && !strings.HasSuffix(failed.Message, "a… (300002 bytes in all)") {
		t.Errorf("error of %d bytes, which ends in %q", len(failed.Message), failed.Message[max(0, len(failed.Message)-40):])
	}
}

func TestATaskStopsBeforeItsDeadline(t *testing.T) {
	end := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	var got time.Time
	_, err := tasks.Of(func(ctx context.Context, _ in) (out, error) {
		got, _ = ctx.Deadline()
		return out{}, nil
	})(ctx, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := end.Add(-tasks.Margin); !got.Equal(want) {
		t.Errorf("deadline = %v, want %v", got, want)
	}
}

func TestNamed(t *testing.T) {
	if tasks.Named("A", nil) != nil {
		t.Error("no error got a name")
	}
	inner := tasks.Named("A", errors.New("x"))
	var named *tasks.Error
	if err := tasks.Named("B", fmt.Errorf("y: %w", inner)); !errors.As(err, &named) || named.Name != "A" {
		t.Errorf("the first name is lost: %v", err)
	}
}

func TestStoreError(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{blob.ErrNotFound, catalog.ObjectLost},
		{fmt.Errorf("read: %w", blob.ErrChanged), catalog.ObjectLost},
		{fmt.Errorf("put: %w", finding.ErrThrottled), catalog.Throttled},
		{blob.ErrThrottled, catalog.Throttled},
		{fmt.Errorf("describe: %w", scan.ErrThrottled), catalog.Throttled},
		{errors.New("disk full"), catalog.StoreFailed},
		{context.Canceled, ""},
		{nil, ""},
	} {
		got := tasks.StoreError(tc.err)
		var named *tasks.Error
		if errors.As(got, &named) != (tc.want != "") || named != nil && named.Name != tc.want {
			t.Errorf("StoreError(%v) = %v, want the name %q", tc.err, got, tc.want)
		}
		if !errors.Is(got, tc.err) {
			t.Errorf("StoreError(%v) = %v loses the error", tc.err, got)
		}
	}
}
