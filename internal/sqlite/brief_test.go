package sqlite

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
)

func FuzzBrief(f *testing.F) {
	f.Add("Vault", "port 22 is open to \"0.0.0.0/0\" <b>\\", "s3-bucket", "a.yaml", int64(1772344800), 4, true)
	f.Add("", "", "", "", int64(0), -1, false)
	f.Add("\xff\x00", "{\"Rule\":1}]", "r,}", "ünï/☃.json", int64(-1), 1<<40, true)
	f.Fuzz(func(t *testing.T, logical, message, rule, path string, at int64, line int, accepted bool) {
		r := finding.Record{
			Finding: finding.Finding{
				Rule: rule, Severity: finding.High, Domain: finding.Network, Verdict: finding.Fail, Message: message, Remediation: message, Fix: finding.FixAvailable,
				Needs: []string{message, rule}, Owner: logical, Scope: rule, Place: finding.Place{Path: path, Line: line, Column: line},
				Resource: finding.Resource{Account: rule, Region: path, Stack: path, LogicalID: logical, Type: rule, ConstructPath: path},
			},
			State: finding.Open, FirstSeen: time.Unix(at%(1<<36), 0).UTC(), LastSeen: time.Unix(at%(1<<36), 5).UTC(),
		}
		if accepted {
			r.Suppressed = &finding.Suppression{Reason: message, Source: path}
			r.ExpiresAt = r.LastSeen
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Skip(err)
		}
		var want, got finding.Record
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		want.Remediation, want.Fix, want.Needs, want.Suppressed, want.ExpiresAt = "", "", nil, nil, time.Time{}
		if err := brief(b, &got, interned{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", b, diff)
		}
		// However it is cut or spelt, it is read as the decoder reads it or refused as by it.
		for _, other := range [][]byte{b[:len(b)/2], append([]byte(" "), b...), append(b[:len(b):len(b)], '}')} {
			var want, got finding.Record
			wantErr := json.Unmarshal(other, &want)
			gotErr := brief(other, &got, interned{})
			if (wantErr == nil) != (gotErr == nil) {
				t.Errorf("%s: error %v, want %v", other, gotErr, wantErr)
			}
		}
	})
}
