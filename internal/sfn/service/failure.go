package service

import (
	"encoding/json"
	"fmt"
	"strings"

	"plumbline/asl/engine"
)

// unclassed are error codes for which the SDKs have no class of their own in any
// service: the service's general exception stands for them.
var unclassed = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "ExpiredTokenException": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
	"InternalFailure": true, "InvalidAction": true, "InvalidClientTokenId": true, "InvalidSignatureException": true, "MissingAction": true,
	"MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true, "MissingParameter": true, "NotAuthorized": true, "OptInRequired": true,
	"SerializationException": true, "ServiceUnavailable": true, "SignatureDoesNotMatch": true, "UnknownOperationException": true, "UnrecognizedClientException": true,
}

// failure is an answer with an error as the task fails with it.
func (b *backend) failure(a *answer, code, message, requestID string) error {
	code = code[strings.LastIndexByte(code, '#')+1:] // of a shape: com.amazonaws.dynamodb#ValidationException
	code = code[strings.LastIndexByte(code, '.')+1:] // of a query: AWS.SimpleQueueService.NonExistentQueue
	code, _, _ = strings.Cut(code, ":")
	class := code
	switch {
	case code == "NonExistentQueue":
		class = "QueueDoesNotExistException"
	case code == "" || unclassed[code] || code == "ValidationException" && b.signing == "dynamodb":
		class = b.general
	case !strings.HasSuffix(class, "Exception"):
		class += "Exception"
	}
	if message == "" {
		message = "null"
	}
	if requestID == "" {
		requestID = a.header.Get("X-Amzn-Requestid")
	}
	cause := fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", message, b.named, a.status, code, requestID)
	if b.short {
		cause = fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s)", message, b.named, a.status, requestID)
	}
	return &engine.Error{Name: b.prefix + "." + class, Cause: cause}
}

// jsonFailure is an error in one of the JSON protocols.
func (b *backend) jsonFailure(a *answer) error {
	var e struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: names are matched without regard to case
	}
	_ = json.Unmarshal(a.body, &e) // a proxy's page is no JSON, and then status and text are all there is
	code := a.header.Get("X-Amzn-Errortype")
	// SQS tells its older code in this one, behind which the class is unknown.
	if code == "" || strings.Contains(e.Type, "#") {
		if e.Type != "" {
			code = e.Type
		} else if code == "" {
			code = e.Code
		}
	}
	if e.Message == "" && code == "" {
		e.Message = strings.TrimSpace(string(a.body[:min(len(a.body), 300)]))
	}
	return b.failure(a, code, e.Message, "")
}
