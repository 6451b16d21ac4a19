package ruleset

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/internal/nearest"
)

// regions are those of all partitions, from "AWS Regions" and the pages of China,
// GovCloud, the secret partitions and the European Sovereign Cloud as of November 2026:
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var regions = []string{
	"af-south-1",
	"ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"ca-central-1", "ca-west-1",
	"cn-north-1", "cn-northwest-1",
	"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
	"eu-isoe-west-1", "eusc-de-east-1",
	"il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1",
	"us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "us-isof-east-1", "us-isof-south-1",
}

// directions are the parts of a region's name that stand before its number.
var directions = []string{"central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"}

// regionProblem refuses what is no region's name and what looks like a known
// one misspelt. A name that may be newer than the list passes: see newRegion.
func regionProblem(text string) string {
	if isGlob(text) || slices.Contains(regions, text) {
		return ""
	}
	parts := strings.Split(text, "-")
	last := parts[len(parts)-1]
	shaped := len(parts) >= 3 && len(parts) <= 4 && len(parts[0]) >= 2 && len(parts[0]) <= 4 &&
		len(last) == 1 && last[0] >= '1' && last[0] <= '9' && strings.ToLower(text) == text
	near := nearest.Of(text, regions)
	switch {
	case shaped && slices.Contains(directions, parts[len(parts)-2]) && (near == "" || knownArea(parts[0])):
		return ""
	case near != "":
		return fmt.Sprintf("no region %q is known. did you mean %q?", text, near)
	case shaped:
		return fmt.Sprintf("no region %q is known. want one such as eu-west-1 or a glob such as eu-*", text)
	}
	return fmt.Sprintf("want a region such as eu-west-1 or a glob such as eu-*, got %q", text)
}

func knownArea(area string) bool {
	return slices.ContainsFunc(regions, func(r string) bool { return strings.HasPrefix(r, area+"-") })
}

// newRegion tells of a region or glob that regionProblem lets pass though it is
// or matches none that is known; "" for the others.
func newRegion(text string) string {
	switch {
	case isGlob(text):
		if !slices.ContainsFunc(regions, func(r string) bool { return Glob(text, r) }) {
			return fmt.Sprintf("no known region matches %q. is it newer than this plumbline, or misspelt?", text)
		}
	case !slices.Contains(regions, text):
		return fmt.Sprintf("region %q is not known. is it newer than this plumbline, or misspelt?", text)
	}
	return ""
}

// Warnings tells what in the policy may be meant or not: regions that are not
// known. The zero value and nil have none.
func (p *Policy) Warnings() []string {
	if p == nil {
		return nil
	}
	var out []string
	for i, r := range p.AllowedRegions {
		if w := newRegion(r); w != "" {
			out = append(out, fmt.Sprintf("%s: allowedRegions[%d]: %s", p.Path, i, w))
		}
	}
	return out
}
