// Package sfn serves the Step Functions API over asl/engine, as Step Functions
// Local does: state machines, executions, histories, activities and callbacks
// over HTTP, with a mock file in place of services where a test asks for one.
package sfn
