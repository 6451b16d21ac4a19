package awsfake

import (
	"encoding/json"
	"time"
)

// Evaluation is one verdict that AWS Config was given.
type Evaluation struct {
	ComplianceResourceType, ComplianceResourceID, ComplianceType, Annotation string
}

// putEvaluations takes at most 100 at once, with the token of the event that
// asked for them. Source: AWS Config API Reference, PutEvaluations.
func (a *Account) putEvaluations(in map[string]any) (any, *failure) {
	token := text(in, "ResultToken")
	if token == "" {
		return nil, refuse("InvalidResultTokenException", "The result token is not valid")
	}
	body, err := json.Marshal(in["Evaluations"])
	if err != nil {
		return nil, refuse("InvalidParameterValueException", "%s", err)
	}
	var list []struct {
		ComplianceResourceType, ComplianceType, Annotation string
		ID                                                 string `json:"ComplianceResourceId"`
		OrderingTimestamp                                  float64
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, refuse("InvalidParameterValueException", "%s", err)
	}
	if len(list) > 100 {
		return nil, refuse("ValidationException", "1 validation error detected: Value at 'evaluations' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	if a.Evaluations == nil {
		a.Evaluations = map[string][]Evaluation{}
	}
	for _, e := range list {
		if e.ComplianceType != "COMPLIANT" && e.ComplianceType != "NON_COMPLIANT" && e.ComplianceType != "NOT_APPLICABLE" || len(e.Annotation) > 256 || time.Unix(int64(e.OrderingTimestamp), 0).IsZero() {
			return nil, refuse("InvalidParameterValueException", "evaluation of %s is not valid", e.ID)
		}
		a.Evaluations[token] = append(a.Evaluations[token], Evaluation{e.ComplianceResourceType, e.ID, e.ComplianceType, e.Annotation})
	}
	return map[string]any{"FailedEvaluations": []any{}}, nil
}

func (a *Account) recorderStatus(map[string]any) (any, *failure) {
	return map[string]any{"ConfigurationRecordersStatus": []map[string]any{{"name": "default", "recording": a.Recording, "lastStatus": "SUCCESS"}}}, nil
}
