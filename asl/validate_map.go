package asl

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// maxLabel is how long a Map's Label may be, in characters.
const maxLabel = 40

// readerResources are what an ItemReader may call; a partition stands before them.
var readerResources = []string{":states:::s3:getObject", ":states:::s3:listObjectsV2"}

func mapRules() []rule {
	unlimited := integer(0, math.MaxInt64)
	return []rule{
		{"ItemProcessor", "", itemProcessor},
		{"Iterator", "", itemProcessor},
		{"ItemsPath", JSONPath, itemsPath},
		{"Items", JSONata, items},
		{"ItemSelector", "", template},
		{"ItemReader", "", itemReader},
		{"ItemBatcher", "", itemBatcher},
		{"ResultWriter", "", resultWriter},
		{"MaxConcurrency", "", unlimited},
		{"MaxConcurrencyPath", JSONPath, numberPath(false)},
		{"ToleratedFailureCount", "", unlimited},
		{"ToleratedFailureCountPath", JSONPath, numberPath(false)},
		{"ToleratedFailurePercentage", "", number(0, 100)},
		{"ToleratedFailurePercentagePath", JSONPath, numberPath(false)},
		{"Label", "", label},
	}
}

func itemProcessor(v *validator, f field) {
	if f.value.kind != kindObject {
		v.wrongType(f.value, f.at, kindObject)
		return
	}
	if d := f.state.ItemProcessor; d.node == f.value { // else both names are there, which is reported
		v.machine(d, f.value, f.at)
	}
}

func processorConfig(v *validator, f field) {
	rules := []rule{{"Mode", "", oneOf("INLINE", "DISTRIBUTED")}}
	var required []string
	mode := f.value.get("Mode")
	if mode != nil && mode.kind == kindString && mode.text == "DISTRIBUTED" {
		rules = append(rules, rule{"ExecutionType", "", oneOf(Standard, Express)})
		required = []string{"ExecutionType"}
		if v.machineType == Express {
			v.schema(mode.pos, child(f.at, "Mode"), "", "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines")
		}
	}
	v.object(f.value, f.pos, f.at, nil, f.lang, rules, required...)
}

func itemsPath(v *validator, f field) {
	if p := v.path(f, false); p != nil && !p.Definite() {
		v.schema(f.value.pos, f.at, "write a path to one array", "Value is not a Reference Path")
	}
}

// items is an array or object, or an expression that gives one.
func items(v *validator, f field) {
	switch f.value.kind {
	case kindString:
		v.mustBeExpression(f)
	case kindArray, kindObject:
		v.expressions(f.value, f.at)
	default:
		v.wrongType(f.value, f.at, kindArray)
	}
}

func itemReader(v *validator, f field) {
	v.object(f.value, f.pos, f.at, f.state, f.lang, []rule{
		{"Resource", "", func(v *validator, f field) { v.resourceAmong(f, readerResources) }},
		{"Parameters", JSONPath, template},
		{"Arguments", JSONata, template},
		{"ReaderConfig", "", readerConfig},
	}, "Resource")
}

func readerConfig(v *validator, f field) {
	rules := []rule{
		{"InputType", "", oneOf("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")},
		{"MaxItems", "", integer(0, 100000000)},
		{"MaxItemsPath", JSONPath, numberPath(false)},
		{"ManifestType", "", oneOf("ATHENA_DATA", "S3_INVENTORY")},
		{"Transformation", "", oneOf("NONE", "LOAD_AND_FLATTEN")},
		{"ItemsPointer", "", stringField},
	}
	var required []string
	input := f.value.get("InputType")
	switch csv := input != nil && input.kind == kindString && input.text == "CSV"; {
	case csv:
		required = []string{"CSVHeaderLocation"}
		fallthrough
	case input == nil || input.text == "MANIFEST":
		rules = append(rules,
			rule{"CSVHeaderLocation", "", oneOf("FIRST_ROW", "GIVEN")},
			rule{"CSVHeaders", "", csvHeaders},
			rule{"CSVDelimiter", "", oneOf("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB")})
		if at := f.value.get("CSVHeaderLocation"); at != nil && at.text == "GIVEN" {
			required = append(required, "CSVHeaders")
		}
	}
	v.object(f.value, f.pos, f.at, f.state, f.lang, rules, required...)
	if f.value.kind == kindObject {
		v.only(f.value, f.pos, f.at, false, "MaxItems", "MaxItemsPath")
	}
}

func csvHeaders(v *validator, f field) {
	if !v.array(f, true) {
		return
	}
	for i, item := range f.value.items {
		if item.kind != kindString {
			v.wrongType(item, entry(f.at, i), kindString)
		}
	}
}

func itemBatcher(v *validator, f field) {
	ok := v.object(f.value, f.pos, f.at, f.state, f.lang, []rule{
		{"MaxItemsPerBatch", "", integer(0, math.MaxInt64)},
		{"MaxItemsPerBatchPath", JSONPath, numberPath(false)},
		{"MaxInputBytesPerBatch", "", integer(0, math.MaxInt64)},
		{"MaxInputBytesPerBatchPath", JSONPath, numberPath(false)},
		{"BatchInput", "", template},
	})
	if ok {
		v.only(f.value, f.pos, f.at, false, "MaxItemsPerBatch", "MaxItemsPerBatchPath")
		v.only(f.value, f.pos, f.at, false, "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")
	}
}

func resultWriter(v *validator, f field) {
	var required []string
	if f.value.get("Resource") != nil {
		required = []string{"Parameters"}
		if f.lang == JSONata {
			required = []string{"Arguments"}
		}
	} else if f.value.get("WriterConfig") == nil {
		required = []string{"Resource"}
	}
	v.object(f.value, f.pos, f.at, f.state, f.lang, []rule{
		{"Resource", "", func(v *validator, f field) { v.resourceAmong(f, []string{":states:::s3:putObject"}) }},
		{"Parameters", JSONPath, template},
		{"Arguments", JSONata, template},
		{"WriterConfig", "", func(v *validator, f field) {
			v.object(f.value, f.pos, f.at, f.state, f.lang, []rule{
				{"Transformation", "", oneOf("NONE", "COMPACT", "FLATTEN")},
				{"OutputType", "", oneOf("JSON", "JSONL")},
			}, "Transformation", "OutputType")
		}},
	}, required...)
}

// resourceAmong allows the resources of this list in any partition.
func (v *validator) resourceAmong(f field, suffixes []string) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	if placeholder(f.value.text) {
		return
	}
	for _, s := range suffixes {
		if strings.HasPrefix(f.value.text, "arn:") && strings.HasSuffix(f.value.text, s) {
			return
		}
	}
	v.schema(f.value.pos, f.at, "write "+quoteList(prefixed("arn:aws", suffixes), "or"), "The field 'Resource' does not match any of the allowed values")
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

// label checks a Map's Label, which becomes part of an ARN.
func label(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	bad := func(format string, args ...any) {
		v.report(SeverityError, codeLabel, f.value.pos, f.at, "a label has 1 to 40 letters, digits and the marks - _ . + =", format, args...)
	}
	text := f.value.text
	switch {
	case text == "":
		bad("Label cannot be empty")
	case utf8.RuneCountInString(text) > maxLabel:
		bad("Label cannot exceed %d characters", maxLabel)
	}
	for _, r := range text {
		if r <= ' ' || 0x7F <= r && r <= 0x9F || strings.ContainsRune(`<>{}[]?*"#%\^|~`+"`"+`$&,;:/`, r) {
			bad("Label contains invalid character: '%s'", printable(r))
			return
		}
	}
}

// printable writes control characters as escapes.
func printable(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < ' ' || 0x7F <= r && r <= 0x9F:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}
