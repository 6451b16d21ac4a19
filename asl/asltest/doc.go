// Package asltest runs scenarios of state machines: what a workflow is asked,
// what its tasks answer, and which way it must take. A scenario runs against
// any Endpoint: the engine of asl/engine in process, an emulator, an account.
//
// A test of all scenarios of a folder is three lines:
//
//	func TestWorkflows(t *testing.T) {
//		asltest.Run(t, asltest.Embedded(), "../statemachine-tests", asltest.Workflows(workflows.Source))
//	}
//
// # Scenario files
//
// Each file *.txtar below the folder is one scenario, one behaviour. Its first
// part is lines; empty lines and those that begin with # mean nothing. Then
// follow sections, as in package golang.org/x/tools/txtar.
//
//	# remediation waits, then the approver says no
//	workflow remediate-finding
//	advance 71h
//	reply WaitForApproval error Rejected
//	path SetScope NeedsApproval WaitForApproval RecordFailure ApprovalFailed
//	status FAILED
//	-- input.json --
//	{"findingId": "f-1"}
//
// What runs:
//
//	workflow NAME        the definition: from the option Workflows, else NAME.asl.json beside
//	                     the file; a section "definition.json" goes before both
//	type EXPRESS         the type of the state machine; STANDARD where the line is missing
//	seed N               decides jitter and the like, on endpoints that can be told; default 1
//	at TIME              where virtual time begins, RFC 3339; default 2026-01-01T00:00:00Z
//	include FILE         the lines of another file of the folder, such as answers that many
//	                     scenarios share. Its name must not end in .txtar
//	input JSON           the input on one line; else the section "input.json", else {}
//
// What tasks answer. Answers to one state are used in the order of their
// lines, one a call; every attempt and every iteration is a call. STATE may
// stand in any machine of the file. One that is never used fails the scenario.
//
//	reply STATE JSON                  the result; of a lambda:invoke, what the function returns
//	reply STATE @SECTION              the same, from a section of the file
//	reply STATE result JSON           the result as the service gives it, also of lambda:invoke
//	reply STATE error NAME [CAUSE]    the task fails
//	reply STATE throttle              it fails as its service does when it is asked too often
//	reply STATE timeout               no answer ever: the state's own time-out must end it
//	reply STATE echo                  the task's own input
//
// Before these may stand a number of times ("3x") and a delay ("after 40s"),
// in virtual time: reply Fetch 2x after 5s throttle.
//
//	always STATE …                    for every call that no reply is left for. It may be unused
//
// What happens meanwhile, in this order. A state that waits for a task token
// is answered by its reply line in its turn; other lines wait until it waits.
//
//	advance DURATION     virtual time passes, timer by timer
//	heartbeat STATE      the worker that has the token says it is still at work
//	stop [ERROR [CAUSE]] somebody stops the execution
//
// Virtual time otherwise jumps from timer to timer, so no scenario sleeps. A
// scenario with such lines is skipped on endpoints whose time cannot be moved.
//
// What must come out:
//
//	status STATUS        SUCCEEDED, FAILED, TIMED_OUT or ABORTED; where the line is missing,
//	                     FAILED with an error line and else SUCCEEDED
//	error NAME [TEXT]    the execution's error, and a text that its cause contains
//	output JSON          the output on one line, or the section "output.json". "<any>" in it
//	                     matches any value
//	path STATE …         the states of the machine itself in the order they were entered
//	path STATE[I] …      those of branch I of a Parallel, of iteration I of a Map, from 0
//	expect event TYPE [Nx] [in STATE] [with TEXT]   an event is in the history, N times
//	expect no event TYPE [in STATE] [with TEXT]     none is
//	expect call STATE JSON   a call of the state has this among its parameters
//	expect took D [D]    how long the execution took, or from how long to how long
//
// An execution that waits for what can no longer come fails the scenario, which
// names the state that waits; so do timers that are left at the end.
//
// Sections "s3/BUCKET/KEY" are objects that an ItemReader finds.
//
// # Expected failures
//
// The file expected-failures.yaml of the folder lists, for each endpoint, the
// scenarios that it cannot pass yet, each with the reason. One that passes all
// the same fails the test, and so does a name that no scenario has.
//
//	embedded:
//	  scan-estate/batches: ItemBatcher is not read
//
// # Coverage
//
// With the option Cover, a Coverage learns which states, caught errors and
// choices the scenarios have seen, and lists those never seen.
//
// # Faults
//
// An Exploration runs a workflow through every single fault and every pair of
// faults that can strike its calls, in virtual time and with its real tasks,
// and holds each run to the invariants of its World. Explore does it in a test;
// an Injector makes one Plan go wrong on any engine. A failure prints its plan
// as lines that run it again:
//
//	ASLTEST_SEED=1 ASLTEST_PLAN='FetchStack attempt 0: crash Throttled' go test -v -run '^TestFaults$'
package asltest
