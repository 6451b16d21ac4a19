package cfn_test

import (
	"fmt"

	"plumbline/cfn"
)

// A bucket that is encrypted in production only: right by default, wrong in the
// world that a rule tells of.
func ExampleTemplate_Worlds() {
	t, err := cfn.Parse("vault.yaml", []byte(`
Parameters:
  Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}
Conditions:
  IsProduction: !Equals [!Ref Environment, prod]
Resources:
  Vault:
    Type: AWS::RDS::DBInstance
    Properties:
      StorageEncrypted: !If [IsProduction, true, false]
      KmsKeyId: !ImportValue vault-key
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range t.Worlds(cfn.Inputs{}) {
		vault := m.Resource("Vault")
		for _, a := range m.AssumedFor(vault) {
			fmt.Printf("%s=%s: encrypted %s", a.Name, a.Value, vault.Properties.Get("StorageEncrypted").Text)
		}
		fmt.Printf(", the key needs %v\n", vault.Properties.Get("KmsKeyId").Unknown.Needs)
	}
	// Output:
	// Environment=prod: encrypted true, the key needs [import vault-key]
	// Environment=dev: encrypted false, the key needs [import vault-key]
}
