package remedy

import (
	"encoding/json"

	"plumbline/cfn/schema"
)

// Tags are those of a live model, by the property in which its type has them;
// none where the type has no tags or the model none that can be read.
func Tags(typ string, model []byte) map[string]string {
	s := schema.Lookup(typ)
	if s == nil || s.TagProperty == "" {
		return nil
	}
	var properties map[string]json.RawMessage
	if json.Unmarshal(model, &properties) != nil {
		return nil
	}
	src := properties[s.TagProperty]
	tags := map[string]string{}
	if s.TagsAsMap {
		var m map[string]any
		if json.Unmarshal(src, &m) == nil {
			for key, value := range m {
				tags[key], _ = value.(string)
			}
		}
		return tags
	}
	var list []struct{ Key, Value, TagKey, TagValue string }
	if json.Unmarshal(src, &list) == nil {
		for _, t := range list {
			if t.Key != "" {
				tags[t.Key] = t.Value
			} else if t.TagKey != "" {
				tags[t.TagKey] = t.TagValue
			}
		}
	}
	return tags
}
