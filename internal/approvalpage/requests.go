package approvalpage

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline/approval"
)

// find gives the hash of the request that an address names for a visitor, by
// the id that people are given or by what the list sealed. A text that can be
// neither is not looked for.
func find(v *Visitor, address string) (hashed string, ok bool) {
	switch len(address) {
	case idLength:
		return approval.Hashed(address), true
	case sealedLength:
		return open(v, address)
	}
	return "", false
}

// load gives the request and plan of an address, or answers the request: false.
func (p *page) load(w http.ResponseWriter, r *http.Request, v Visitor) (approval.Stored, *planned, bool) {
	hashed, ok := find(&v, r.PathValue("id"))
	s, err := approval.Stored{}, error(&approval.Refusal{Kind: approval.ErrUnknown, Reason: "there is no such request"})
	if ok {
		s, err = p.Desk.Store.Find(r.Context(), hashed)
	}
	if err == nil && !knows(&s.Request, v.Person) {
		p.refuse(w, r, v, http.StatusForbidden, "This request is for members of "+strings.Join(s.Groups, ", ")+", and you are not one of them.")
		return s, nil, false
	}
	var plan *planned
	if err == nil {
		plan, err = loadPlan(r.Context(), p.Plans, s.Plan)
	}
	if err != nil {
		p.fail(w, r, v, err)
		return s, nil, false
	}
	return s, plan, true
}

// knows reports whether a person may see a request: who may decide on it, who
// asked for it, and who has decided.
func knows(r *approval.Request, who approval.Person) bool {
	return !errors.Is(r.Bars(who), approval.ErrGroup)
}

// listed bounds the list. More are told as a number.
const listed = 200

func (p *page) list(w http.ResponseWriter, r *http.Request) {
	v, ok := p.visitor(w, r)
	if !ok {
		return
	}
	now := p.Now()
	var rows []approval.Request
	for s, err := range p.Desk.Store.Open(r.Context()) {
		if err != nil {
			p.fail(w, r, v, err)
			return
		}
		if s.State == approval.Waiting && now.Before(s.Expires) && knows(&s.Request, v.Person) {
			rows = append(rows, s.Request)
		}
	}
	slices.SortStableFunc(rows, func(a, b approval.Request) int { return a.Expires.Compare(b.Expires) })
	p.answerList(w, r, v, rows)
}

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	v, ok := p.visitor(w, r)
	if !ok {
		return
	}
	if s, plan, ok := p.load(w, r, v); ok {
		p.answer(w, r, v, s.Request, plan, said{})
	}
}

// said is what a person sent, and why it does not count.
type said struct {
	status  int    // 0: 200
	Problem string // "": none
	Reason  string // what was typed, so that it need not be typed again
}

// decide takes a decision. Only this changes anything.
func (p *page) decide(w http.ResponseWriter, r *http.Request) {
	v, ok := p.visitor(w, r)
	if !ok {
		return
	}
	in, err := read(r)
	if err != nil {
		p.refuse(w, r, v, http.StatusBadRequest, sentence(err.Error())+" Nothing was decided.")
		return
	}
	hashed, ok := find(&v, r.PathValue("id"))
	if !ok {
		p.fail(w, r, v, approval.ErrUnknown)
		return
	}
	if !v.Explicit && !formed(&v, hashed, in.token) {
		p.refuse(w, r, v, http.StatusForbidden, "This form is not from this page, or you have signed in anew since it was shown. Nothing was decided: look at the request again.")
		return
	}
	var now approval.Request
	if in.word == accept {
		now, err = p.Desk.AcceptListed(r.Context(), hashed, in.plan, v.Person, in.until, in.reason)
	} else {
		now, err = p.Desk.DecideListed(r.Context(), hashed, in.plan, v.Person, in.word == approve, in.reason)
	}
	var refused *approval.Refusal
	switch {
	case err == nil:
		p.Log.InfoContext(r.Context(), "decided", "plan", in.plan, "by", v.Name, "decision", in.word, "state", now.State)
		if wantsJSON(r) {
			p.answerDecided(w, r, now)
			return
		}
		http.Redirect(w, r, Path+"/"+r.PathValue("id"), http.StatusSeeOther)
	case errors.As(err, &refused) && !errors.Is(err, approval.ErrUnknown) && !wantsJSON(r):
		p.Log.InfoContext(r.Context(), "a decision was refused", "by", v.Name, "why", refused.Kind)
		if s, plan, ok := p.load(w, r, v); ok {
			p.answer(w, r, v, s.Request, plan, said{statusOf(err), sentence(refused.Reason) + " Nothing was decided.", in.reason})
		}
	default:
		p.fail(w, r, v, err)
	}
}

// decision is what a form or a program sends.
type decision struct {
	plan, reason, token, word string
	until                     time.Time // of accept
}

// The words of decisions.
const (
	approve = "approve" // change it
	deny    = "deny"
	accept  = "accept" // leave the violation as it is until a day
)

// read decodes a decision: each field once, so that nothing is taken for what it
// may not mean.
func read(r *http.Request) (decision, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "application/json" {
		return decision{}, errors.New("a decision is sent as a form, or as JSON")
	}
	var field func(name string) (string, bool)
	if kind == "application/json" {
		field, err = readJSON(r.Body)
	} else if err = r.ParseForm(); err == nil {
		field = func(name string) (string, bool) {
			values := r.PostForm[name]
			if len(values) != 1 {
				return "", false
			}
			return values[0], true
		}
	}
	if err != nil {
		return decision{}, errors.New("the decision cannot be read")
	}
	var d decision
	var okPlan, okReason, okWord bool
	d.plan, okPlan = field("plan")
	d.reason, okReason = field("reason")
	d.word, okWord = field("decision")
	d.token, _ = field("token")
	if !okPlan || !okReason || !okWord || !slices.Contains([]string{approve, deny, accept}, d.word) {
		return decision{}, errors.New(`a decision has the fields plan, reason and decision, each once, and is "approve", "deny" or "accept"`)
	}
	if d.word == accept {
		until, _ := field("until")
		if d.until, err = time.Parse(time.DateOnly, until); err != nil {
			return decision{}, errors.New("to accept a violation needs the day until which, as YYYY-MM-DD")
		}
	}
	return d, nil
}

// fail answers an error of the desk or a store.
func (p *page) fail(w http.ResponseWriter, r *http.Request, v Visitor, err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		p.Log.ErrorContext(r.Context(), "a request on a change was not answered", "error", err)
		p.refuse(w, r, v, status, "Something behind this page does not answer. If you have sent a decision, it may be kept already, and is seen to in the next minutes: look at the request again then. To send it once more does no harm.")
		return
	}
	var refused *approval.Refusal
	text := "There is no such request, or this address is not for you."
	if errors.As(err, &refused) && status != http.StatusNotFound {
		text = sentence(refused.Reason) + " Nothing was decided."
	}
	p.refuse(w, r, v, status, text)
}

// statusOf is the status of HTTP for why a decision does not count.
func statusOf(err error) int {
	for _, x := range []struct {
		kind   error
		status int
	}{
		{approval.ErrUnknown, http.StatusNotFound}, {approval.ErrNobody, http.StatusUnauthorized},
		{approval.ErrOwn, http.StatusForbidden}, {approval.ErrGroup, http.StatusForbidden},
		{approval.ErrReason, http.StatusUnprocessableEntity}, {approval.ErrUntil, http.StatusUnprocessableEntity},
		{approval.ErrDecided, http.StatusConflict}, {approval.ErrTwice, http.StatusConflict}, {approval.ErrOtherPlan, http.StatusConflict},
		{approval.ErrExpired, http.StatusGone},
	} {
		if errors.Is(err, x.kind) {
			return x.status
		}
	}
	return http.StatusBadGateway
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// left says how long something lasts, in words.
func left(until, now time.Time) string {
	d := until.Sub(now)
	switch {
	case d <= 0:
		return "over"
	case d < time.Hour:
		return counted(int(d/time.Minute)+1, "minute", "minutes")
	case d < 48*time.Hour:
		return counted(int(d/time.Hour), "hour", "hours")
	}
	return counted(int(d/(24*time.Hour)), "day", "days")
}
