package cfn

// samTransform is the macro that turns AWS::Serverless types into CloudFormation's.
const samTransform = "AWS::Serverless-2016-10-31"

// samPrefix opens the resource types of SAM.
const samPrefix = "AWS::Serverless::"

func (r *resolver) samReference(string) string                       { return "" }
func (r *resolver) declareSAM()                                      {}
func (r *resolver) expandSAM(_ *Declared, res *Resource) []*Resource { return []*Resource{res} }
