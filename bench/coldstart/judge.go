package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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
	var asked struct{ read, written int }
	objects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			asked.read++
			_, _ = w.Write(body)
		case http.MethodPut:
			asked.written++
		}
	}))
	defer objects.Close()
	fmt.Fprintf(b, "\nUp to its first answer of a template (%d resources of `%s`, read from and answered to an S3 on this machine):\n\n| domain | over the bare runtime |\n|---|---|\n", resources(source), judged)
	for _, domain := range finding.Domains {
		t.Env = map[string]string{catalog.DomainVar: string(domain)}
		took, err := median(ctx, binary, t, call{string(payload), objects.URL, "response"}, runs)
		if err != nil {
			return fmt.Errorf("domain %s: %w", domain, err)
		}
		fmt.Fprintf(b, "| %s | %d ms |\n", domain, max(0, (took-floor).Milliseconds()))
	}
	if asked.read == 0 || asked.written == 0 {
		return errors.New("nothing was judged: no snapshot was read, or no verdict written")
	}
	return nil
}

func resources(template []byte) int {
	var t struct{ Resources map[string]json.RawMessage }
	if json.Unmarshal(template, &t) != nil {
		return 0
	}
	return len(t.Resources)
}
