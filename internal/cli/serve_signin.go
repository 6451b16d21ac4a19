package cli

import (
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/approval/identity"
	"plumbline/internal/approvalpage"
	"plumbline/internal/signin"
	"plumbline/internal/signin/session"
)

// signInFlags have people sign in to the console by an OpenID Connect issuer:
// for one that a server in front of it, which speaks TLS, shows to others.
type signInFlags struct {
	site string
	want identity.Expected
}

func (f *signInFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.site, "site", "", "people reach the console as this https `ADDRESS`, through a server on this machine that speaks TLS; they sign in by --oidc-issuer")
	fl.StringVar(&f.want.Issuer, "oidc-issuer", "", "the `ADDRESS` of the organisation's OpenID Connect issuer")
	fl.StringVar(&f.want.ClientID, "oidc-client", "", "the client `ID` that the issuer knows the console by, without a secret")
	fl.StringVar(&f.want.NameClaim, "oidc-name-claim", "", "the `CLAIM` with a person's name (default: email, which must be verified)")
	fl.StringVar(&f.want.GroupsClaim, "oidc-groups-claim", "", "the `CLAIM` with a person's groups (default: groups, or cognito:groups)")
}

// asked reports whether people sign in.
func (f *signInFlags) asked() bool { return f.site != "" || f.want != (identity.Expected{}) }

func (f *signInFlags) check() error {
	if !f.asked() {
		return nil
	}
	if f.site == "" || f.want.Issuer == "" || f.want.ClientID == "" {
		return usagef("--site, --oidc-issuer and --oidc-client are given together: whoever reaches the console from elsewhere has to sign in")
	}
	for name, address := range map[string]string{"--site": f.site, "--oidc-issuer": f.want.Issuer} {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || strings.HasSuffix(address, "/") || name == "--site" && u.Path != "" {
			return usagef("%s %q is no https address without a slash at its end", name, address)
		}
	}
	return nil
}

// hosts are the names that requests may be for; none: those of this machine.
func (f *signInFlags) hosts() []string {
	if u, err := url.Parse(f.site); err == nil && u.Hostname() != "" {
		return []string{u.Hostname()}
	}
	return nil
}

// door signs people in, and tells who sends a request after that.
type door struct {
	pages    http.Handler
	identify func(*http.Request) (approvalpage.Visitor, error)
}

func (f *signInFlags) door(logger *log.Logger) *door {
	told := slog.New(slog.NewTextHandler(logger.Writer(), nil))
	issuer := &signin.Issuer{Expected: f.want}
	sessions := &identity.Memory{}
	vouched := "You have signed in at " + f.want.Issuer + "."
	byCookie, byToken := session.ByCookie(sessions, vouched, time.Now), signin.ByToken(issuer, vouched, told)
	return &door{
		pages: signin.Handler(signin.Config{Issuer: issuer, Sessions: sessions, Site: f.site, Log: told}),
		identify: func(r *http.Request) (approvalpage.Visitor, error) {
			if r.Header.Get("Authorization") != "" {
				return byToken(r)
			}
			return byCookie(r)
		},
	}
}

// before has everybody sign in who asks for a page.
func (d *door) before(pages http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle(session.InPath, d.pages)
	m.Handle(signin.CallbackPath, d.pages)
	m.Handle(session.OutPath, d.pages)
	m.Handle("/", session.Require(pages, d.identify))
	return m
}
