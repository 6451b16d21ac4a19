// Package sfn serves asl/engine as the API of AWS Step Functions, JSON 1.0 over
// HTTP, as Step Functions Local does, so that the SDKs and the AWS CLI work
// against it as they are. It owns what the API has and the engine has not: state
// machines by name and their revisions, activities, tags, paging, AWS's error
// names, and the mock file that stands in for services where a test asks for it.
// What tasks call comes in as an engine.Invoker; what outlives the process goes
// out by an engine.Journal and a Store.
package sfn
