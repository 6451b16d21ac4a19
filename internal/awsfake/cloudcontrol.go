package awsfake

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn/schema"
	"plumbline/remedy/live"
)

// request is an update that goes on by itself.
type request struct {
	token, client, typ, identifier, patch string
	left                                  int
	failed                                *failure
	done                                  bool
}

func text(in map[string]any, key string) string { s, _ := in[key].(string); return s }

// known refuses types that Cloud Control does not have, and those without a handler.
func known(typ, handler string) *failure {
	s := schema.Lookup(typ)
	switch {
	case s == nil:
		return refuse("TypeNotFoundException", "The type %s cannot be found.", typ)
	case !slices.Contains(s.Handlers, handler):
		return refuse("UnsupportedActionException", "Resource type %s does not support %s action", typ, strings.ToUpper(handler))
	}
	return nil
}

func (a *Account) getResource(in map[string]any) (any, *failure) {
	typ, id := text(in, "TypeName"), text(in, "Identifier")
	if fail := known(typ, "read"); fail != nil {
		return nil, fail
	}
	model, fail := a.model(typ, id)
	if fail != nil {
		return nil, fail
	}
	return map[string]any{"TypeName": typ, "ResourceDescription": map[string]string{"Identifier": id, "Properties": model}}, nil
}

// listResources gives the identifiers, and of the models a part: the primary
// identifier alone. Source: Cloud Control API Reference, ListResources.
func (a *Account) listResources(in map[string]any) (any, *failure) {
	typ := text(in, "TypeName")
	if fail := known(typ, "list"); fail != nil {
		return nil, fail
	}
	var within map[string]string
	if m := text(in, "ResourceModel"); m != "" {
		if err := json.Unmarshal([]byte(m), &within); err != nil {
			return nil, refuse("InvalidRequestException", "%s", err)
		}
	}
	parent := a.Parents[typ]
	if parent != "" && within[parent] == "" {
		return nil, refuse("InvalidRequestException", "Missing or invalid ResourceModel property in %s list handler request input. Required property: [#: required key [%s] not found]", typ, parent)
	}
	var ids []string
	all, fail := a.identifiers(typ)
	if fail != nil {
		return nil, fail
	}
	for _, id := range all {
		var model map[string]any
		if parent == "" || json.Unmarshal([]byte(a.Resources[typ][id]), &model) == nil && model[parent] == within[parent] {
			ids = append(ids, id)
		}
	}
	start, _ := strconv.Atoi(text(in, "NextToken"))
	end := min(start+a.page(), len(ids))
	out := map[string]any{"TypeName": typ}
	list := []map[string]string{}
	for _, id := range ids[min(start, end):end] {
		list = append(list, map[string]string{"Identifier": id, "Properties": fmt.Sprintf("{%q:%q}", strings.ReplaceAll(schema.Lookup(typ).PrimaryIdentifier[0], "/", "."), id)})
	}
	out["ResourceDescriptions"] = list
	if end < len(ids) {
		out["NextToken"] = strconv.Itoa(end)
	}
	return out, nil
}

// updateResource takes a request. The same client token is the same request;
// with another patch it is a conflict. A resource has one request at a time.
func (a *Account) updateResource(in map[string]any) (any, *failure) {
	typ, id, patch, client := text(in, "TypeName"), text(in, "Identifier"), text(in, "PatchDocument"), text(in, "ClientToken")
	if fail := known(typ, "update"); fail != nil {
		return nil, fail
	}
	if r := a.requests["client "+client]; r != nil && client != "" {
		if r.typ != typ || r.identifier != id || r.patch != patch {
			return nil, refuse("ClientTokenConflictException", "The client token %s was used for another request.", client)
		}
		return map[string]any{"ProgressEvent": r.event()}, nil
	}
	if _, fail := a.model(typ, id); fail != nil {
		return nil, fail
	}
	for _, r := range a.requests {
		if !r.done && r.typ == typ && r.identifier == id {
			return nil, refuse("ConcurrentOperationException", "Another operation of %s is in progress.", id)
		}
	}
	if a.requests == nil {
		a.requests = map[string]*request{}
	}
	r := &request{token: fmt.Sprintf("request-%d", len(a.requests)+1), client: client, typ: typ, identifier: id, patch: patch, left: a.Delay}
	a.requests["client "+client], a.requests[r.token] = r, r
	return map[string]any{"ProgressEvent": r.event()}, nil
}

func (a *Account) requestStatus(in map[string]any) (any, *failure) {
	r := a.requests[text(in, "RequestToken")]
	if r == nil {
		return nil, refuse("RequestTokenNotFoundException", "There is no request %s.", text(in, "RequestToken"))
	}
	a.advance(r)
	return map[string]any{"ProgressEvent": r.event()}, nil
}

// advance makes the patch once the request has been asked for often enough:
// whole, or not at all.
func (a *Account) advance(r *request) {
	switch {
	case r.done:
		return
	case r.left > 0:
		r.left--
		return
	}
	r.done = true
	before, fail := a.model(r.typ, r.identifier)
	if fail != nil {
		r.failed = refuse("NotFound", "%s", fail.message)
		return
	}
	after, err := live.Patch([]byte(before), []byte(r.patch), 0)
	if err != nil {
		r.failed = refuse("InvalidRequest", "%s", err)
		return
	}
	if name := createOnly(r.typ, before, string(after)); name != "" {
		r.failed = refuse("NotUpdatable", "Resource type %s does not support update of property %s", r.typ, name)
		return
	}
	if a.Source == nil {
		a.Resources[r.typ][r.identifier] = string(after)
	} else if err := a.Source.Set(r.typ, r.identifier, before, string(after)); err != nil {
		r.failed = refuse("GeneralServiceException", "%s", err)
	}
}

// createOnly is a property that only a new resource can have otherwise, and
// that two models differ in; "": there is none.
func createOnly(typ, before, after string) string {
	var was, is map[string]any
	if json.Unmarshal([]byte(before), &was) != nil || json.Unmarshal([]byte(after), &is) != nil {
		return ""
	}
	for _, name := range schema.Lookup(typ).CreateOnly {
		if top, _, nested := strings.Cut(name, "/"); !nested && !reflect.DeepEqual(was[top], is[top]) {
			return top
		}
	}
	return ""
}

// Source has the resources of an account whose fake only hands them out.
type Source interface {
	// Has reports whether it reads resources of a type at all.
	Has(typ string) bool
	// Get gives the properties as JSON; false: there is no such resource.
	Get(typ, identifier string) (string, bool, error)
	List(typ string) ([]string, error)
	// Set changes a resource to other properties, as far as they differ.
	Set(typ, identifier, before, after string) error
}

// model is a resource, wherever it is kept.
func (a *Account) model(typ, id string) (string, *failure) {
	m, ok := a.Resources[typ][id]
	if a.Source != nil {
		if !a.Source.Has(typ) {
			return "", refuse("UnsupportedActionException", "Resource type %s does not support READ action", typ)
		}
		var err error
		if m, ok, err = a.Source.Get(typ, id); err != nil {
			return "", refuse("GeneralServiceException", "%s", err)
		}
	}
	if !ok {
		return "", refuse("ResourceNotFoundException", "Resource of type '%s' with identifier '%s' was not found.", typ, id)
	}
	return m, nil
}

func (a *Account) identifiers(typ string) ([]string, *failure) {
	if a.Source == nil {
		return slices.Sorted(maps.Keys(a.Resources[typ])), nil
	}
	if !a.Source.Has(typ) {
		return nil, refuse("UnsupportedActionException", "Resource type %s does not support LIST action", typ)
	}
	ids, err := a.Source.List(typ)
	if err != nil {
		return nil, refuse("GeneralServiceException", "%s", err)
	}
	return ids, nil
}

func (r *request) event() map[string]any {
	e := map[string]any{"TypeName": r.typ, "Identifier": r.identifier, "RequestToken": r.token, "Operation": "UPDATE", "OperationStatus": "IN_PROGRESS"}
	switch {
	case r.failed != nil:
		e["OperationStatus"], e["ErrorCode"], e["StatusMessage"] = "FAILED", r.failed.code, r.failed.message
	case r.done:
		e["OperationStatus"] = "SUCCESS"
	}
	return e
}

func (a *Account) listRequests(map[string]any) (any, *failure) {
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(a.requests)) {
		if r := a.requests[name]; !r.done && name == r.token {
			list = append(list, r.event())
		}
	}
	return map[string]any{"ResourceRequestStatusSummaries": list}, nil
}
