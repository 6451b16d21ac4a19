package cfn

import (
	"slices"
	"strings"
)

// samTransform is the macro that turns AWS::Serverless types into
// CloudFormation's own. What it makes of them is read from its published
// source, aws-sam-translator 1.115; names and properties here are the same.
const samTransform = "AWS::Serverless-2016-10-31"

// samPrefix opens the resource types of SAM.
const samPrefix = "AWS::Serverless::"

// SAM's own names for the APIs that events imply.
const (
	implicitRestAPI = "ServerlessRestApi"
	implicitHTTPAPI = "ServerlessHttpApi"
)

// declareSAM merges the Globals section into the SAM resources, adds the APIs
// that events imply, and notes which logical ids SAM will make, so that
// references to them are known.
func (r *resolver) declareSAM() {
	globals := r.t.Root.Get("Globals")
	var rest, http implied
	for i, d := range r.declared {
		if !strings.HasPrefix(d.Type, samPrefix) || !d.Body.IsKind(Map) {
			continue
		}
		if g := globals.Get(d.Type[len(samPrefix):]); g.IsKind(Map) {
			d = r.withGlobals(d, g)
			r.declared[i] = d
		}
		if d.Type == samPrefix+"Function" || d.Type == samPrefix+"StateMachine" {
			events := d.Body.Get("Properties").Get("Events")
			for j := range events.fields() {
				e := &events.Fields[j]
				switch {
				case e.Value.Get("Type").text() == "Api" && e.Value.Get("Properties").Get("RestApiId") == nil:
					rest.by(d, e.Pos)
				case e.Value.Get("Type").text() == "HttpApi" && e.Value.Get("Properties").Get("ApiId") == nil:
					http.by(d, e.Pos)
				}
			}
		}
	}
	r.imply(&rest, implicitRestAPI, samPrefix+"Api", "Prod", globals.Get("Api"))
	r.imply(&http, implicitHTTPAPI, samPrefix+"HttpApi", "$default", globals.Get("HttpApi"))
	r.generated = make(map[string]bool)
	for _, d := range r.declared {
		r.generate(d)
	}
}

// implied is an API that events of functions make SAM add.
type implied struct {
	pos        Pos
	found      bool
	always     bool // a function without a condition implies it
	conditions []string
}

func (a *implied) by(d *Declared, at Pos) {
	if !a.found {
		a.found, a.pos = true, at
	}
	if d.Condition == "" {
		a.always = true
	} else if !slices.Contains(a.conditions, d.Condition) {
		a.conditions = append(a.conditions, d.Condition)
	}
}

// imply declares an implied API, unless the template declares one of its name.
func (r *resolver) imply(a *implied, id, typ, stage string, globals *Value) {
	if !a.found || slices.ContainsFunc(r.declared, func(d *Declared) bool { return d.LogicalID == id }) {
		return
	}
	text := func(s string) *Value { return literalAt(s, a.pos) }
	properties := newMap(a.pos, []Field{{Key: "StageName", Pos: a.pos, Value: text(stage)}})
	body := newMap(a.pos, []Field{
		{Key: "Type", Pos: a.pos, Value: text(typ)},
		{Key: "Properties", Pos: a.pos, Value: properties},
	})
	d := &Declared{LogicalID: id, Type: typ, Pos: a.pos, Body: body}
	if globals.IsKind(Map) {
		d = r.withGlobals(d, globals)
	}
	if !a.always {
		d.Condition = a.conditions[0]
		if len(a.conditions) > 1 {
			r.anyOf = map[string][]string{id: a.conditions}
		}
	}
	r.declared = append(r.declared, d)
}

// withGlobals is d with the properties that Globals gives to its type, but
// those it ignores.
func (r *resolver) withGlobals(d *Declared, globals *Value) *Declared {
	ignore := d.Body.Get("IgnoreGlobals")
	if ignore.text() == "*" {
		return d
	}
	for _, item := range ignore.items() {
		globals = without(globals, item.text())
	}
	fields := make([]Field, 0, len(d.Body.Fields)+1)
	merged := false
	for _, f := range d.Body.Fields {
		switch f.Key {
		case "IgnoreGlobals":
			continue
		case "Properties":
			f.Value = r.merge(globals, f.Value, "")
			merged = true
		}
		fields = append(fields, f)
	}
	if !merged {
		fields = append(fields, Field{Key: "Properties", Pos: d.Pos, Value: globals})
	}
	c := *d
	c.Body = newMap(d.Body.Pos, fields)
	return &c
}

// items are the items of a List, none of anything else.
func (v *Value) items() []*Value {
	if v == nil {
		return nil
	}
	return v.Items
}

func without(m *Value, key string) *Value {
	i := slices.IndexFunc(m.Fields, func(f Field) bool { return f.Key == key })
	if i < 0 {
		return m
	}
	return newMap(m.Pos, slices.Delete(slices.Clone(m.Fields), i, i+1))
}

// merge joins a global with a local value as SAM does: maps key by key, lists
// one after the other, of anything else the local one counts. A function counts
// as a scalar.
func (r *resolver) merge(global, local *Value, path string) *Value {
	if global == nil || local == nil || global.Kind != local.Kind || isCall(global) || isCall(local) {
		return local
	}
	n, m := len(global.Fields)+len(global.Items), len(local.Fields)+len(local.Items)
	if !r.afford((n+m)*valueBytes/2 + n*m/8) {
		return local
	}
	switch global.Kind {
	case List:
		if path == "Architectures" {
			return local
		}
		return newList(local.Pos, append(slices.Clone(global.Items), local.Items...))
	case Map:
		fields := slices.Clone(local.Fields)
		for _, g := range global.Fields {
			i := slices.IndexFunc(local.Fields, func(f Field) bool { return f.Key == g.Key })
			if i < 0 {
				fields = append(fields, g)
				continue
			}
			fields[i].Value = r.merge(g.Value, fields[i].Value, path+g.Key)
		}
		return newMap(local.Pos, fields)
	}
	return local
}

// isCall reports whether v is an intrinsic function.
func isCall(v *Value) bool {
	return v.IsKind(Map) && len(v.Fields) == 1 && isFunction(v.Fields[0].Key, 1, v.Fields[0].Value)
}

// generate notes the logical ids that a SAM resource makes beside its own, as
// far as the source tells.
func (r *resolver) generate(d *Declared) {
	if !strings.HasPrefix(d.Type, samPrefix) {
		return
	}
	properties := d.Body.Get("Properties")
	switch d.Type[len(samPrefix):] {
	case "Function":
		r.generated[d.LogicalID+"Role"] = true
		if properties.Get("FunctionUrlConfig") != nil {
			r.generated[d.LogicalID+"Url"] = true
		}
		if alias := r.value(properties.Get("AutoPublishAlias")); isScalar(alias) {
			r.generated[aliasID(d.LogicalID, alias.Text)] = true
			r.generated[d.LogicalID+"Version"] = true
		}
		for i := range properties.Get("Events").fields() {
			r.generated[d.LogicalID+properties.Get("Events").Fields[i].Key] = true
		}
	case "StateMachine":
		r.generated[d.LogicalID+"Role"] = true
		if alias := properties.Get("AutoPublishAlias").text(); alias != "" {
			r.generated[d.LogicalID+"Alias"+alias] = true
			r.generated[d.LogicalID+"Version"] = true
		}
	case "Api", "HttpApi":
		r.generated[d.LogicalID+"Deployment"] = true
		r.generated[stageID(d.LogicalID, r.value(properties.Get("StageName")))] = true
	}
}

// samReference is the logical id that SAM puts in place of a name it makes:
// the name itself, or one of the forms Function.Alias, Function.Version,
// Api.Stage and Api.Deployment. It is "" for any other name.
func (r *resolver) samReference(name string) string {
	if r.generated[name] {
		return name
	}
	id, property, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	i, ok := r.index[id]
	if !ok {
		return ""
	}
	d := r.declared[i]
	properties := d.Body.Get("Properties")
	switch d.Type + "." + property {
	case samPrefix + "Function.Alias":
		if alias := r.value(properties.Get("AutoPublishAlias")); isScalar(alias) {
			return aliasID(id, alias.Text)
		}
	case samPrefix + "Function.Version", samPrefix + "Api.Deployment":
		return id + property
	case samPrefix + "Api.Stage", samPrefix + "HttpApi.Stage":
		return stageID(id, r.value(properties.Get("StageName")))
	}
	return ""
}
