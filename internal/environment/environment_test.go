package environment_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"plumbline/internal/environment"
)

// given is an environment with what Lambda always sets.
func given(more map[string]string) func(string) (string, bool) {
	env := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "session"}
	for name, value := range more {
		env[name] = value
	}
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

// TestCallsAreSigned: a client of the SDK calls the endpoint that the
// environment names, with the credentials and for the region that it sets.
func TestCallsAreSigned(t *testing.T) {
	var authorization, token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization, token = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"TableNames": ["findings"]}`))
	}))
	defer server.Close()
	c, err := environment.Config(given(map[string]string{"AWS_ENDPOINT_URL": server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	out, err := dynamodb.NewFromConfig(c).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil || len(out.TableNames) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	if !strings.Contains(authorization, "Credential=AKIA/") || !strings.Contains(authorization, "/eu-west-1/dynamodb/") || token != "session" {
		t.Errorf("signed %q with the token %q", authorization, token)
	}
	if strings.Contains(authorization, "hidden") {
		t.Error("the secret is sent")
	}
}

func TestEndpoints(t *testing.T) {
	c, err := environment.Config(given(map[string]string{"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://secrets"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(secretsmanager.NewFromConfig(c).Options().BaseEndpoint); got != "http://secrets" {
		t.Errorf("Secrets Manager is at %q", got)
	}
	if got := aws.ToString(dynamodb.NewFromConfig(c).Options().BaseEndpoint); got != "http://all" {
		t.Errorf("DynamoDB is at %q", got)
	}
	if c, err = environment.Config(given(nil)); err != nil || c.BaseEndpoint != nil {
		t.Errorf("AWS's own endpoint is %v, %v", c.BaseEndpoint, err)
	}
}

func TestMissing(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if _, err := environment.Config(given(map[string]string{name: ""})); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v", name, err)
		}
	}
}
