package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks/catalog"
	"plumbline/tasks/evaluate"
)

// call is the first call of a function, and how it is answered.
type call struct {
	payload  string
	endpoint string // of AWS's services; "": AWS's own, which is not called
	answer   string // response or error; "": either
}

// refused is a call that a function refuses, or has nothing to do for.
var refused = call{payload: "{}"}

// judged is the template that a first judgement is of: what the example deploys
// of a service with its stacks.
const judged = "examples/payments/cdk.out/PaymentsApi.template.json"

// judgements measures each domain's function up to the answer that names the verdicts on a
// template, with S3 on this machine.
func judgements(ctx context.Context, b *strings.Builder, binary string, t catalog.Task, floor time.Duration, runs int) error {
	source, err := os.ReadFile(judged)
	if err != nil {
		return err
	}
	body, ref, err := blob.Encode("work/scan/snapshot.json", &scan.Snapshot{Target: scan.Target{Stack: "PaymentsApi", Region: "eu-west-1", Account: "111122223333"}, Source: source})
	if err != nil {
		return err
	}
	payload, err := json.Marshal(evaluate.In{ScanID: "scan", Snapshot: ref})
	if err != nil {
		return err
	}
	large, largeRef, largePayload, err := largest(source)
	if err != nil {
		return err
	}
	var asked struct{ read, written int }
	objects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			asked.read++
			if strings.HasSuffix(r.URL.Path, largeRef.Key) {
				_, _ = w.Write(large)
				return
			}
			_, _ = w.Write(body)
		case http.MethodPut:
			asked.written++
		}
	}))
	defer objects.Close()
	fmt.Fprintf(b, "\nUp to its first answer of a template (%d resources of `%s`, read from and answered to an S3 on this machine), and of a stack\nas large as CloudFormation takes, %d resources:\n\n| domain | over the bare runtime | holds | of the largest | holds |\n|---|---|---|---|---|\n", resources(source), judged, maxResources)
	for _, domain := range finding.Domains {
		t.Env = map[string]string{catalog.DomainVar: string(domain)}
		took, held, err := fastest(ctx, binary, t, call{string(payload), objects.URL, "response"}, runs)
		if err != nil {
			return fmt.Errorf("domain %s: %w", domain, err)
		}
		long, most, err := fastest(ctx, binary, t, call{largePayload, objects.URL, "response"}, runs)
		if err != nil {
			return fmt.Errorf("domain %s, the largest stack: %w", domain, err)
		}
		fmt.Fprintf(b, "| %s | %d ms | %d MB | %d ms | %d MB |\n", domain, max(0, (took-floor).Milliseconds()), held, max(0, (long-floor).Milliseconds()), most)
	}
	if asked.read == 0 || asked.written == 0 {
		return errors.New("nothing was judged: no snapshot was read, or no verdict written")
	}
	return nil
}

// maxResources is how many resources a stack may have. Source: AWS
// CloudFormation User Guide, "Understand CloudFormation quotas".
const maxResources = 500

// largest is a stack of as many copies of the resources of a template as a
// stack may have, and the call to judge it.
func largest(template []byte) (body []byte, ref blob.Ref, payload string, err error) {
	var t struct {
		Resources map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(template, &t); err != nil {
		return nil, ref, "", err
	}
	ids, copies := slices.Sorted(maps.Keys(t.Resources)), map[string]any{}
	for i := range maxResources {
		r := maps.Clone(t.Resources[ids[i%len(ids)]])
		delete(r, "DependsOn")
		copies[fmt.Sprintf("%s%d", ids[i%len(ids)], i)] = r
	}
	source, err := json.Marshal(map[string]any{"Resources": copies})
	if err != nil {
		return nil, ref, "", err
	}
	body, ref, err = blob.Encode("work/scan/largest.json", &scan.Snapshot{Target: scan.Target{Stack: "Largest", Region: "eu-west-1", Account: "111122223333"}, Source: source})
	if err != nil {
		return nil, ref, "", err
	}
	in, err := json.Marshal(evaluate.In{ScanID: "scan", Snapshot: ref})
	return body, ref, string(in), err
}

func resources(template []byte) int {
	var t struct{ Resources map[string]json.RawMessage }
	if json.Unmarshal(template, &t) != nil {
		return 0
	}
	return len(t.Resources)
}
