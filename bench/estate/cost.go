package main

// Prices of us-east-1 in US dollars. Sources: the services' pages of prices.
const (
	transitionPrice = 0.025 / 1000      // AWS Step Functions, Standard, a state transition
	requestPrice    = 1.00 / 1e6        // AWS Step Functions, Express, a request
	expressPrice    = 0.0000166667 / 16 // AWS Step Functions, Express, a second of 64 MB, up to 1,000 hours of a GB
	lambdaPrice     = 0.0000133334      // AWS Lambda, arm64, a GB-second
	callPrice       = 0.20 / 1e6        // AWS Lambda, a request
	writePrice      = 0.625 / 1e6       // Amazon DynamoDB on demand, a write unit
	putPrice        = 0.005 / 1000      // Amazon S3, a PUT
	getPrice        = 0.0004 / 1000     // Amazon S3, a GET
)

// Objects that the scan of a target writes and reads: snapshot, seven verdicts,
// assessment, changes and two reports; what the states read of them.
const putsPerTarget, getsPerTarget = 12, 24

// cost is what a sweep costs, with the scans after events.
type cost struct{ stepFunctions, lambda, dynamo, s3 float64 }

func (c cost) total() float64 { return c.stepFunctions + c.lambda + c.dynamo + c.s3 }

func costOf(m *model, w *watch) cost {
	scans := 0
	for _, targets := range m.persisted {
		scans += len(targets)
	}
	started := 0 // children of Distributed Maps: each start is a transition of its parent
	for _, list := range m.targets {
		started += len(list)
	}
	return cost{
		stepFunctions: float64(w.transitions+started)*transitionPrice + float64(w.express)*requestPrice + w.duration.Seconds()*expressPrice,
		lambda:        m.lambda*lambdaPrice + float64(m.requests)*callPrice,
		dynamo:        float64(m.writes) * writePrice,
		s3:            float64(scans) * (putsPerTarget*putPrice + getsPerTarget*getPrice),
	}
}
