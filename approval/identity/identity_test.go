package identity_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/approval/identity"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func claims() identity.Claims {
	return identity.Claims{
		"iss": "https://id.example", "aud": "plumbline", "exp": float64(now.Add(time.Minute).Unix()), "iat": float64(now.Unix()),
		"email": "ann@example.com", "email_verified": true, "groups": []any{"staff", "security"},
	}
}

func TestPerson(t *testing.T) {
	want := identity.Expected{Issuer: "https://id.example", ClientID: "plumbline"}
	ann := approval.Person{Name: "ann@example.com", Groups: []string{"staff", "security"}}
	at := func(d time.Duration) float64 { return float64(now.Add(d).Unix()) }
	for _, row := range []struct {
		name   string
		change func(identity.Claims)
		expect func(*identity.Expected)
		want   approval.Person // zero: refused
	}{
		{"right", func(identity.Claims) {}, nil, ann},
		{"for several clients, authorized for this one", func(c identity.Claims) { c["aud"], c["azp"] = []any{"other", "plumbline"}, "plumbline" }, nil, ann},
		{"for several clients", func(c identity.Claims) { c["aud"] = []any{"other", "plumbline"} }, nil, approval.Person{}},
		{"authorized for another", func(c identity.Claims) { c["azp"] = "other" }, nil, approval.Person{}},
		{"for another client", func(c identity.Claims) { c["aud"] = "other" }, nil, approval.Person{}},
		{"for nobody", func(c identity.Claims) { delete(c, "aud") }, nil, approval.Person{}},
		{"of another issuer", func(c identity.Claims) { c["iss"] = "https://id.example/" }, nil, approval.Person{}},
		{"of no issuer", func(c identity.Claims) { delete(c, "iss") }, func(e *identity.Expected) { e.Issuer = "" }, approval.Person{}},
		{"expired now", func(c identity.Claims) { c["exp"] = at(0) }, nil, approval.Person{}},
		{"never expires", func(c identity.Claims) { delete(c, "exp") }, nil, approval.Person{}},
		{"expires as a text", func(c identity.Claims) { c["exp"] = "9999999999" }, nil, approval.Person{}},
		{"expires beyond all time", func(c identity.Claims) { c["exp"] = 1e300 }, nil, approval.Person{}},
		{"not yet valid", func(c identity.Claims) { c["nbf"] = at(2 * time.Minute) }, nil, approval.Person{}},
		{"valid within the skew", func(c identity.Claims) { c["nbf"] = at(identity.MaxSkew) }, nil, ann},
		{"issued in the future", func(c identity.Claims) { c["iat"] = at(2 * time.Minute) }, nil, approval.Person{}},
		{"email not verified", func(c identity.Claims) { c["email_verified"] = false }, nil, approval.Person{}},
		{"nothing said of the email", func(c identity.Claims) { delete(c, "email_verified") }, nil, approval.Person{}},
		{"no email", func(c identity.Claims) { c["email"] = " " }, nil, approval.Person{}},
		{"another claim names", func(c identity.Claims) { c["upn"] = "ann" }, func(e *identity.Expected) { e.NameClaim = "upn" }, approval.Person{Name: "ann", Groups: ann.Groups}},
		{"another claim is missing", func(identity.Claims) {}, func(e *identity.Expected) { e.NameClaim = "upn" }, approval.Person{}},
		{"groups of Cognito", func(c identity.Claims) { delete(c, "groups"); c["cognito:groups"] = []any{"admins"} }, nil, approval.Person{Name: ann.Name, Groups: []string{"admins"}}},
		{"one group", func(c identity.Claims) { c["groups"] = "staff security" }, nil, approval.Person{Name: ann.Name, Groups: []string{"staff security"}}},
		{"no groups", func(c identity.Claims) { c["groups"] = 7.0 }, nil, approval.Person{Name: ann.Name}},
		{"groups elsewhere", func(c identity.Claims) { c["roles"] = []any{"x"} }, func(e *identity.Expected) { e.GroupsClaim = "roles" }, approval.Person{Name: ann.Name, Groups: []string{"x"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, w := claims(), want
			row.change(c)
			if row.expect != nil {
				row.expect(&w)
			}
			got, err := c.Person(w, now)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if (err != nil) != (row.want.Name == "") || err != nil && !errors.Is(err, identity.ErrToken) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	enc := base64.RawURLEncoding.EncodeToString
	for raw, ok := range map[string]bool{
		"h." + enc([]byte(`{"iss":"x"}`)) + ".s": true, "h." + enc([]byte(`null`)) + ".s": false, "h." + enc([]byte(`[]`)) + ".s": false,
		"": false, "a.b": false, "a.%.c": false, "a.b.c.d.e": false,
	} {
		if _, err := identity.Parse(raw); (err == nil) != ok {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestOfPrincipal(t *testing.T) {
	for arn, want := range map[string]approval.Person{
		"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Security_Approvers_0123456789abcdef/ann@example.com": {Name: "ann@example.com", Groups: []string{"aws:Security_Approvers"}},
		"arn:aws:iam::111122223333:user/team/ann":                                          {Name: "arn:aws:iam::111122223333:user/team/ann"},
		"arn:aws:sts::111122223333:assumed-role/Deploy/ann@example.com":                    {},
		"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Security_0123456789abcdef/": {},
		"arn:aws:sts::111122223333:federated-user/ann":                                     {},
		"arn:aws:iam::111122223333:root":                                                   {},
		"arn:aws:iam::111122223333:user/":                                                  {},
		"ann":                                                                              {}, "": {},
	} {
		got, err := identity.OfPrincipal(arn)
		if diff := cmp.Diff(want, got); diff != "" || (err != nil) != (want.Name == "") {
			t.Errorf("%s: %v (-want +got)\n%s", arn, err, diff)
		}
	}
}

// FuzzPerson: whatever a token says, nobody comes of it but by the right issuer
// for the right client in its time.
func FuzzPerson(f *testing.F) {
	f.Add(`{"iss":"https://id.example","aud":["plumbline"],"exp":1e10,"email":"a","email_verified":true}`)
	f.Add(`{"iss":"https://id.example","aud":"plumbline","exp":1772355660,"nbf":-1,"azp":"plumbline"}`)
	f.Fuzz(func(t *testing.T, src string) {
		c, err := identity.Parse("h." + base64.RawURLEncoding.EncodeToString([]byte(src)) + ".s")
		if err != nil {
			return
		}
		who, err := c.Person(identity.Expected{Issuer: "https://id.example", ClientID: "plumbline"}, now)
		if (err == nil) != (who.Name != "") {
			t.Errorf("%q with %v", who.Name, err)
		}
		exp, _ := c["exp"].(float64)
		if err == nil && (c["iss"] != "https://id.example" || exp <= float64(now.Unix()) || c["email_verified"] == false) {
			t.Errorf("%s is taken as %q", src, who.Name)
		}
	})
}
