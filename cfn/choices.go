package cfn

import (
	"path"
	"slices"
	"strings"
)

func (v *variable) literal(text string) {
	if len(v.literals) < maxChoices && !slices.Contains(v.literals, text) {
		v.literals = append(v.literals, text)
	}
}

// literalsOf notes the scalars within b.
func (v *variable) literalsOf(b *Value, depth int) {
	if b == nil || depth > 8 || len(v.literals) >= maxChoices {
		return
	}
	if b.Kind == Map && b.dynamic {
		return // a name or a function's argument is no value
	}
	if isScalar(b) {
		v.literal(b.Text)
	}
	for _, item := range b.Items {
		v.literalsOf(item, depth+1)
	}
}

// makeChoices settles which values of the variable are tried, the base world's first.
func (v *variable) makeChoices(r *resolver) {
	add := func(text string, standard bool) {
		for i := range v.choices {
			if v.choices[i].text == text {
				return
			}
		}
		if len(v.choices) >= maxChoices || !r.afford(len(text)*valueBytes/2) {
			return
		}
		c := choice{text: text, standard: standard, parameter: v.parameter, name: v.name, value: literalAt(text, Pos{})}
		if v.parameter != nil {
			c.value = parameterValue(v.parameter.declared, text)
		}
		v.choices = append(v.choices, c)
	}
	var allowed []string
	if p := v.parameter; p != nil {
		if p.value != nil {
			v.determined = true
			add(plainText(p.value), true)
			v.choices[0].value = p.value
		}
		allowed = p.declared.enumerated()
	}
	if len(allowed) > 0 {
		for _, text := range allowed {
			add(text, false)
		}
		v.determined = v.determined || len(v.choices) == 1 // it can be nothing else
		return
	}
	if v.parameter == nil && v.name == pseudoRegion {
		if region := v.assumedRegion(r.in.Regions); region != "" {
			add(region, false)
		}
	}
	empty := false
	for _, text := range v.literals {
		if text == "" {
			empty = true
			continue
		}
		add(text, false)
	}
	if empty && v.determined && v.admits("") {
		add("", false)
	}
	if !v.keysOnly || len(v.choices) == 0 {
		unlike := v.literals
		if v.determined {
			unlike = append(slices.Clone(unlike), v.choices[0].text)
		}
		c := choice{text: otherThan(unlike), parameter: v.parameter, name: v.name}
		if v.parameter != nil {
			if v.parameter.declared.NoEcho {
				c.text = "another value"
			}
			c.why = v.parameter.unknowing(slices.Contains(unlike, ""), unlike)
		} else {
			c.why = unknownText(v.name, true)
			c.why.unlike = unlike
		}
		v.choices = append(v.choices, c)
	}
	if empty && !v.determined && v.admits("") {
		add("", false)
	}
}

// assumedRegion is where a stack is taken to be that is not said to be
// anywhere: in a region where stacks are meant to be, else in the one that AWS
// itself takes for a default; "" where the template has no mapping for it.
func (v *variable) assumedRegion(meant []string) string {
	fits := func(region string) bool { return !v.keysOnly || slices.Contains(v.literals, region) }
	const usual = "us-east-1"
	for _, pattern := range meant {
		if !strings.ContainsAny(pattern, "*?[") {
			if fits(pattern) {
				return pattern
			}
			continue
		}
		for _, region := range append([]string{usual}, v.literals...) {
			if ok, err := path.Match(pattern, region); ok && err == nil && fits(region) {
				return region
			}
		}
	}
	if fits(usual) {
		return usual
	}
	return ""
}

// admits reports whether the variable may have a value.
func (v *variable) admits(text string) bool {
	return text != "" || v.parameter != nil && (holdsList(v.parameter.declared.Type) || !v.parameter.nonEmpty())
}

// plainText is a parameter's value as text: a list's items with commas.
func plainText(v *Value) string {
	if v.Kind != List {
		return v.Text
	}
	parts := make([]string, len(v.Items))
	for i, item := range v.Items {
		parts[i] = item.Text
	}
	return strings.Join(parts, ",")
}

// otherThan says in words that a value is none of those listed.
func otherThan(values []string) string {
	var shown []string
	empty := false
	for _, s := range values {
		switch {
		case s == "":
			empty = true
		case !slices.Contains(shown, s): // a default may be one of the literals
			shown = append(shown, s)
		}
	}
	const most = 4
	if len(shown) > most {
		shown = append(shown[:most:most], "…")
	}
	switch {
	case len(shown) == 0 && empty:
		return "not empty"
	case len(shown) == 0:
		return "any value"
	case empty:
		return "neither empty nor " + strings.Join(shown, ", ")
	}
	return "other than " + strings.Join(shown, ", ")
}
