package approval

import (
	"slices"
	"strings"
)

// SamePerson reports whether two verified names may be of one person. A person
// has several: the mail address that an identity provider vouches for, and on
// AWS the ARN of a session, which ends in the name of the session. Names that
// agree in that, whatever their case, count as one person's: four eyes are
// better refused to namesakes than granted to one pair.
func SamePerson(a, b string) bool {
	return strings.EqualFold(shortName(a), shortName(b))
}

// shortName is what follows the last slash of an ARN of a user or a session;
// any other name is whole.
func shortName(name string) string {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, "arn:") {
		return name[strings.LastIndexByte(name, '/')+1:]
	}
	return name
}

// Bars says why a person cannot decide on a request, whatever the decision: a
// *Refusal of ErrNobody, ErrOwn, ErrGroup or ErrTwice; nil where nothing bars.
// Whether the request still waits is another question.
func (r *Request) Bars(by Person) error {
	switch {
	case strings.TrimSpace(by.Name) == "":
		return refuse(ErrNobody, "who decides is not known. sign in first")
	case r.Requester != "" && SamePerson(by.Name, r.Requester):
		return refuse(ErrOwn, "%s asked for the change, and somebody else must decide", by.Name)
	case len(r.Groups) > 0 && !slices.ContainsFunc(by.Groups, func(g string) bool { return slices.Contains(r.Groups, g) }):
		return refuse(ErrGroup, "%s is in none of the groups that may decide: %s", by.Name, strings.Join(r.Groups, ", "))
	case slices.ContainsFunc(r.Decisions, func(x Decision) bool { return SamePerson(x.By, by.Name) }):
		return refuse(ErrTwice, "%s has decided already, and somebody else must too", by.Name)
	}
	return nil
}
