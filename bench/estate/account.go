package main

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"plumbline/tasks/catalog"
)

// account is one AWS account in one region as its services see it.
type account struct {
	rate          int       // of Cloud Control, calls a second
	stacks, cloud *calendar // CloudFormation, and Cloud Control
	table         *calendar
	index         [severities]*calendar
	random        *rand.Rand

	functions int  // at once, at most
	calls     ends // of functions at work
	most      int  // of them at once
	refused   int  // for want of concurrency
	fetching  ends // functions that read resources
	warm      []environment

	unread int // resources that could not be read in time
}

// environment is one of Lambda's, in which a function that reads stacks goes on
// from call to call and remembers what it has listed.
type environment struct{ until, listed, took time.Duration }

// environment takes one that is free, or makes one.
func (a *account) environment(now time.Duration) *environment {
	for i := range a.warm {
		if a.warm[i].until <= now {
			return &a.warm[i]
		}
	}
	a.warm = append(a.warm, environment{listed: -time.Hour})
	return &a.warm[len(a.warm)-1]
}

// severities have a partition each in the index of open findings.
const severities = 4

// newAccount makes an account that may read raised times as often as by default.
func newAccount(seed uint64, raised int) *account {
	a := &account{functions: concurrentCalls, rate: raised * readResources.perSecond, stacks: newCalendar(readStacks, raised), cloud: newCalendar(readResources, raised), table: newCalendar(writeTable, 1), random: rand.New(rand.NewPCG(seed, 1))}
	for i := range a.index {
		a.index[i] = newCalendar(writeIndex, 1)
	}
	return a
}

// ends is a heap of the times at which calls end.
type ends []time.Duration

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(time.Duration)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// until drops those that have ended, and counts the others.
func (e *ends) until(now time.Duration) int {
	for len(*e) > 0 && (*e)[0] <= now {
		heap.Pop(e)
	}
	return len(*e)
}

// enter begins a call of a function, or refuses it.
func (a *account) enter(now time.Duration) bool {
	n := a.calls.until(now)
	if n >= a.functions {
		a.refused++
		return false
	}
	a.most = max(a.most, n+1)
	return true
}

// Latencies: of a call of a service, and of what functions do by themselves.
// They are of the order that docs/coldstart.md and docs/benchmarks.md measure.
const (
	answer     = 80 * time.Millisecond // of CloudFormation, Cloud Control and S3
	written    = 8 * time.Millisecond  // of DynamoDB
	overhead   = 40 * time.Millisecond // of a call of a function, warm
	perJudging = time.Millisecond      // of a resource, in one domain
)

// attempts are those of the SDK, as the functions set them, with its pauses of up
// to a second, two, four, at most twenty.
// Source: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode.
const attempts = 8

// call makes a call of a service from a time on, as the SDK does. It returns
// when the answer is there; ok is false where it was refused to the end.
func (a *account) call(c *calendar, at time.Duration, n int, latency time.Duration) (end time.Duration, ok bool) {
	for i := range attempts {
		if c.take(at, n) {
			return at + latency, true
		}
		at += latency + time.Duration(a.random.Float64()*float64(min(time.Second<<i, 20*time.Second)))
	}
	return at, false
}

// Reading of resources, as cmd main of fetchstack and package internal/cloudcontrol do it.
const (
	perFunction = 5  // calls a second of one function
	burst       = 10 // that are saved after a pause
	tries       = 6  // of a call that is asked to slow down
	reserve     = 8 * time.Second
	slowest     = 2 * time.Second
	alone       = time.Second / perFunction
)

// read reads n resources from a time on until a deadline, and returns when that
// is done and how many were not read. Functions that read at the same time find
// their share of the account's rate by being asked to slow down and going on
// faster bit by bit; here each starts at its share.
func (a *account) read(at, deadline time.Duration, n int) (end time.Duration, unread int) {
	at0 := at
	readers := a.fetching.until(at) + 1
	least := max(alone, time.Second*time.Duration(readers)/time.Duration(a.rate))
	space := least
	saved := burst
	if readers > 1 {
		saved = 0 // others have used them
	}
	for i := range n {
		for try := 1; ; try++ {
			if at > deadline {
				return a.reading(at0, deadline), unread + n - i
			}
			if a.cloud.take(at, 1) {
				space = max(space-space/8, least)
				break
			}
			saved = 0
			space = min(2*space, slowest)
			at += space
			if try == tries {
				unread++
				break
			}
		}
		if saved > 0 {
			saved--
			at += time.Second / time.Duration(a.rate)
			continue
		}
		at += space
	}
	return a.reading(at0, at+answer), unread
}

// reading notes that a function reads from one time to another.
func (a *account) reading(from, to time.Duration) time.Duration {
	heap.Push(&a.fetching, to)
	return max(from, to)
}

// timeout is that of a function of the catalogue.
func timeout(name string) time.Duration {
	t, ok := catalog.Find(name)
	if !ok {
		return 0
	}
	return t.Timeout
}
