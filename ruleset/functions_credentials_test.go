package ruleset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCredentials(t *testing.T) {
	type answers struct{ HoldsKey, AssignsSecret bool }
	forty := strings.Repeat("aB3/", 10)
	want := map[string]answers{
		"":                                     {},
		"AKIAABCDEFGHIJKLMNOP":                 {HoldsKey: true},
		"key ASIA0123456789ABCDEF.":            {HoldsKey: true},
		"XAKIAABCDEFGHIJKLMNOP":                {},
		"AKIAABCDEFGHIJKLMNOPQ":                {},
		"AKIAABC AKIAABCDEFGHIJKLMNOP":         {HoldsKey: true},
		"-----BEGIN PRIVATE KEY-----":          {HoldsKey: true},
		"-----BEGIN RSA PRIVATE KEY-----":      {HoldsKey: true},
		"-----BEGIN CERTIFICATE-----":          {},
		"-----BEGIN X-----BEGIN PRIVATE KEY--": {HoldsKey: true},
		"echo LS0tLS1CRUdJTiBS | base64 -d":    {HoldsKey: true},
		"aws_secret_access_key = " + forty:     {HoldsKey: true},
		`"SecretAccessKey": "` + forty + `"`:   {HoldsKey: true},
		"secret_key=" + forty + "x":            {AssignsSecret: true},
		"secrets " + forty:                     {},
		"export DB_PASSWORD=correcthorse":      {AssignsSecret: true},
		"API_KEY='0123456789'\n":               {AssignsSecret: true},
		"password=short":                       {},
		"password=$(fetch the secret)":         {},
		"password=${DbPassword}":               {},
		"passwordless=correcthorse":            {},
		"token=abcdefgh&next=1":                {AssignsSecret: true},
		"token=abcdefgh%20":                    {},
	}
	got := map[string]answers{}
	for text := range want {
		got[text] = answers{holdsKey(text), assignsSecret(text)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
