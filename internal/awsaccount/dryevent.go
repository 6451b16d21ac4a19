package awsaccount

import (
	"plumbline/internal/account"

	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// dryEvent calls Intake with an event of a change that has not ended: the
// function has to start, read its settings, and say that there is nothing to do.
func (d *diagnosis) dryEvent(ctx context.Context, function string) {
	const what = "dry event"
	event := map[string]any{
		"id": "plumbline-doctor", "source": "aws.cloudformation", "detail-type": "CloudFormation Stack Status Change",
		"account": d.account, "region": d.name,
		"detail": map[string]any{
			"stack-id":       fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/plumbline-doctor/dry", d.name, d.account),
			"status-details": map[string]string{"status": "UPDATE_IN_PROGRESS"},
		},
	}
	answer, err := d.invoke(ctx, function, event)
	if d.failed(what, err) {
		return
	}
	var out struct {
		Started bool   `json:"started"`
		Reason  string `json:"reason"`
	}
	if err := json.Unmarshal(answer, &out); err != nil || out.Started || out.Reason == "" {
		d.add(what, account.Problem, "%s answered %s", function, bytes.TrimSpace(answer))
		return
	}
	d.add(what, account.OK, "%s answers", function)
}

// invoke calls a function. It is one signed request: the SDK's package for
// Lambda would be the largest of the binary, for this one call.
func (d *diagnosis) invoke(ctx context.Context, function string, event any) ([]byte, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	endpoint := "https://lambda." + d.name + ".amazonaws.com"
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"} {
		if v := os.Getenv(name); v != "" {
			endpoint = strings.TrimSuffix(v, "/")
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/2015-03-31/functions/"+url.PathEscape(function)+"/invocations", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	credentials, err := d.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), "lambda", d.name, time.Now()); err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 40 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("invoke %s: %s: %s", function, resp.Status, bytes.TrimSpace(answer))
	case resp.Header.Get("X-Amz-Function-Error") != "":
		return nil, fmt.Errorf("%s failed: %s", function, bytes.TrimSpace(answer))
	}
	return answer, nil
}
