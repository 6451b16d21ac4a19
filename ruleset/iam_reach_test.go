package ruleset

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReachOf(t *testing.T) {
	want := map[string]extent{
		"*": reachAll, "**": reachAll, "arn:*": reachAll, "arn*": reachAll, "arn:aws:*": reachAll, "arn:aws:*:*:*:*": reachAll, "arn:*:*:*:*:*": reachAll,
		"arn:aws:*:*:*": reachAll, "*:*": reachAll, "arn:aws:*:*:111122223333:*": reachNamed,
		"arn:aws:s3:::*": reachKind, "arn:aws:s3:::*/*": reachKind, "arn:aws:s3:*": reachKind, "arn:aws:s3*": reachKind,
		"arn:aws:iam::*:role/*": reachKind, "arn:aws:iam::*:role*": reachKind, "arn:aws:iam::111122223333:role/*": reachKind, "arn:aws:iam::*:*": reachKind,
		"arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*": reachKind,
		"arn:aws:iam::aws:policy/*":                           reachNamed, "arn:aws:iam::*:role/app/*": reachNamed, "arn:aws:iam::*:role/app-*": reachNamed,
		"arn:aws:iam::*:user/${aws:username}":  reachNamed,
		"arn:aws:dynamodb:eu-west-1:*:table/*": reachKind, "arn:aws:dynamodb:eu-west-1:111122223333:table/*": reachNamed,
		"arn:aws:dynamodb:*:*:table/ledger": reachNamed, "arn:aws:logs:*:*:*": reachKind, "arn:aws:logs:*:*:log-group:*": reachKind,
		"arn:aws:logs:*:*:log-group:/aws/lambda/*": reachNamed, "arn:aws:s3:::ledger/*": reachNamed, "arn:aws:s3:::ledger*": reachNamed,
		"arn:aws:execute-api:*:*:a1b2c3/*": reachNamed, "arn:aws:sqs:*:*:ledger*": reachNamed, "": reachNamed, "ledger": reachNamed, "arn": reachNamed, "arn:aws:s3": reachNamed,
	}
	got := map[string]extent{}
	for text := range want {
		got[text] = reachOf(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReachesFor(t *testing.T) {
	type ask struct{ resource, action string }
	want := map[ask]bool{
		{"*", "iam:PassRole"}:                         true,
		{"arn:aws:iam::*:role/*", "iam:PassRole"}:     true,
		{"arn:aws:iam::*:user/*", "iam:PassRole"}:     false,
		{"arn:aws:iam::*:role/*", "sts:AssumeRole"}:   true,
		{"arn:aws:s3:::*", "iam:PassRole"}:            false,
		{"arn:aws:s3:::*", "s3:PutObject"}:            true,
		{"arn:aws:s3:::*", "*"}:                       true,
		{"arn:aws:s3:::*", "*:Put*"}:                  true,
		{"arn:aws:s3:::ledger/*", "s3:PutObject"}:     false,
		{"arn:aws:dynamodb:*:*:table/*", "s3:Put*"}:   false,
		{"arn:aws:*:*:*:*", "dynamodb:DeleteTable"}:   true,
		{"arn:aws:dynamodb:*:*:table/*", "dynamo*:*"}: true,
	}
	got := map[ask]bool{}
	for a := range want {
		got[a] = reachesFor(a.resource, a.action)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestActions(t *testing.T) {
	type answers struct{ Writes, Placeless, WholeService bool }
	want := map[string]answers{
		"*": {true, false, true}, "*:*": {true, false, true}, "s3:*": {true, false, true}, "s3*": {true, false, true}, "s3:?*": {true, false, true},
		"S3:PutObject": {Writes: true}, "s3:P*": {Writes: true}, "s3:*Object": {Writes: true}, "s3:Get*": {}, "s3:G*": {}, "s3:GetObject": {},
		"dynamodb:Batch*": {Writes: true}, "dynamodb:BatchGetItem": {}, "logs:PutLogEvents": {}, "logs:Put*": {Writes: true}, "logs:*": {true, false, true},
		"ec2:Describe*": {Placeless: true}, "ec2:CreateNetworkInterface": {Placeless: true}, "ec2:CreateVolume": {Writes: true},
		"xray:*": {false, true, true}, "xray:PutTraceSegments": {Placeless: true}, "xray:": {}, "": {}, "sts:GetCallerIdentity": {Placeless: true},
	}
	got := map[string]answers{}
	for a := range want {
		got[a] = answers{writes(a), placeless(a), wholeService(a)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
