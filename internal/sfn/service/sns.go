package service

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

// publish calls SNS, which speaks the query protocol: a form goes there and XML comes back.
func (s *Services) publish(c *call) (any, error) {
	o, a, err := s.publishBy(c, &snsBackend)
	if err != nil {
		return nil, err
	}
	return a.withMetadata(o), nil
}

func (s *Services) publishBy(c *call, b *backend) (*value.Object, *answer, error) {
	form := url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}}
	for _, f := range asText(c.input, "Message").Fields() {
		switch v := f.Value.(type) {
		case *value.Object:
			if f.Key == "MessageAttributes" {
				attributes(form, v)
				continue
			}
			form.Set(f.Key, value.Text(v))
		case string:
			form.Set(f.Key, v)
		default:
			form.Set(f.Key, value.Text(v))
		}
	}
	a, err := s.send(c, b, "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, []byte(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	var out struct {
		MessageID      string `xml:"PublishResult>MessageId"`
		SequenceNumber string `xml:"PublishResult>SequenceNumber"`
		Code           string `xml:"Error>Code"`
		Message        string `xml:"Error>Message"`
		RequestID      string `xml:"RequestId"`
	}
	bad := xml.Unmarshal(a.body, &out)
	if a.status/100 != 2 {
		return nil, nil, b.failure(a, out.Code, out.Message, out.RequestID)
	}
	if bad != nil {
		return nil, nil, &engine.Error{Name: b.prefix + ".SdkClientException", Cause: "Unable to unmarshall response: " + bad.Error()}
	}
	o := value.Of("MessageId", out.MessageID)
	if out.SequenceNumber != "" {
		o = o.With("SequenceNumber", out.SequenceNumber)
	}
	return o, a, nil
}

// attributes writes a map of message attributes as the query protocol has it.
func attributes(form url.Values, o *value.Object) {
	for i, f := range o.Fields() {
		at := fmt.Sprintf("MessageAttributes.entry.%d.", i+1)
		form.Set(at+"Name", f.Key)
		v, ok := f.Value.(*value.Object)
		if !ok {
			continue
		}
		for _, part := range v.Fields() {
			text, ok := part.Value.(string)
			if !ok {
				text = value.Text(part.Value)
			}
			form.Set(at+"Value."+part.Key, text)
		}
	}
}
