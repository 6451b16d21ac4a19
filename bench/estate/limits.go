package main

import "time"

// limit is how many calls an account may make a second in a region.
type limit struct {
	what      string
	perSecond int
	source    string
}

// The limits that the model holds functions to. AWS publishes no rates of
// CloudFormation and Cloud Control by operation; what is taken for them is less
// than what accounts are seen to be granted, and docs/scale.md says so.
var (
	readStacks    = limit{"CloudFormation: DescribeStacks, GetTemplate, ListStackResources, ListStacks, each", 10, "not published; assumed"}
	readResources = limit{"Cloud Control: GetResource and ListResources together", 25, "not published by operation; assumed, as package internal/cloudcontrol does"}
	writeTable    = limit{"DynamoDB: write units of a new table on demand", 4000, "Amazon DynamoDB Developer Guide, \"DynamoDB on-demand capacity mode\""}
	writeIndex    = limit{"DynamoDB: write units of one partition, here those of the index of one severity", 1000, "Amazon DynamoDB Developer Guide, \"Partitions and data distribution\""}
	startStandard = limit{"Step Functions: StartExecution, refill (bucket 1,300)", 300, "AWS Step Functions Developer Guide, \"Service quotas\", us-east-1 and eu-west-1"}
	transitions   = limit{"Step Functions: transitions of Standard machines, refill (bucket 5,000)", 5000, "the same"}
)

// concurrentCalls is how many functions run at once in an account and region.
// Source: AWS Lambda Developer Guide, "Lambda quotas".
const concurrentCalls = 1000

// slot is how finely calls are counted. A slot takes its share of a second and
// nothing is saved for later, so that a burst which AWS would take is refused
// here: the model is stricter than a token bucket of the same rate.
const slot = 200 * time.Millisecond

// calendar counts calls by slot, also ahead of the clock: a function says at
// its start when it will make its calls. The zero value refuses all.
type calendar struct {
	each  int // calls a slot
	taken []uint16

	made, refused int
}

func newCalendar(l limit, raised int) *calendar {
	return &calendar{each: raised * l.perSecond * int(slot) / int(time.Second)}
}

// take makes n calls at a time since the start, or is refused.
func (c *calendar) take(at time.Duration, n int) bool {
	i := int(at / slot)
	for len(c.taken) <= i {
		c.taken = append(c.taken, 0)
	}
	if int(c.taken[i])+n > c.each {
		c.refused++
		return false
	}
	c.taken[i] += uint16(n)
	c.made += n
	return true
}

// busiest is the most calls of any second.
func (c *calendar) busiest() int {
	const slots = int(time.Second / slot)
	most, sum := 0, 0
	for i, n := range c.taken {
		sum += int(n)
		if i >= slots {
			sum -= int(c.taken[i-slots])
		}
		most = max(most, sum)
	}
	return most
}
