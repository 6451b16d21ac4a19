package ruleset

// DefaultPolicy is what holds where no policy file says otherwise. This is the
// one place of every default; docs/policy.md and the JSON Schema show them.
// It asks for no tag, region or class: those are the organisation's own.
//
// Sources: PCI DSS v4.0.1 10.5.1 (a year of audit logs), 8.3.6 (twelve
// characters), 8.3.7 (four former passwords), 8.3.9 (ninety days), 2.2.7 and
// 4.2.1 (strong cryptography: TLS 1.2 and newer), 1.2.5 and 2.2.5 (services
// and ports that are needed). The seven backup days are AWS Config's default.
// The terms of 30, 90 and 180 days for high, medium and low are FedRAMP's
// (Continuous Monitoring Strategy Guide: high, moderate, low). PCI DSS 6.3.3
// gives a month to critical vulnerabilities; the week for critical violations
// is our own choice, well inside it.
func DefaultPolicy() *Policy {
	return &Policy{
		Version: 1,
		Scope:   ScopePolicy{Default: ScopeCDE},

		Remediation: RemediationPolicy{ExpiryHours: DefaultExpiry, FollowWithinDays: DefaultFollowWithin, Limits: (*Policy)(nil).Limits()},
		Ports: Ports{
			Admin: []int{
				22,         // SSH
				3389,       // RDP
				5900, 5901, // VNC
				5985, 5986, // WinRM
			},
			Database: []int{
				1433, 1434, // SQL Server
				1521, 2483, 2484, // Oracle
				3306, 5432, 5439, // MySQL, PostgreSQL, Redshift
				5984,       // CouchDB
				6379, 6380, // Redis
				7000, 7001, 7199, 9042, 9160, // Cassandra
				8182,       // Neptune
				9200, 9300, // Elasticsearch, OpenSearch
				11211,                      // Memcached
				27017, 27018, 27019, 50000, // MongoDB, Db2
			},
			Cleartext: []int{
				20, 21, // FTP
				23,       // Telnet
				69,       // TFTP
				110, 143, // POP3, IMAP
				137, 138, 139, // NetBIOS
				512, 513, 514, // rexec, rlogin, rsh
			},
			Public: []int{80, 443},
		},
		Retention: Retention{LogDays: 365, BackupDays: 7, SecretRotationDays: 90, KeyDeletionDays: 7},
		Passwords: Passwords{MinLength: 12, MaxAgeDays: 90, History: 4},
		SLA:       SLA{Critical: 7, High: 30, Medium: 90, Low: 180},
		TLSPolicies: TLSPolicies{
			ELB: []string{
				"ELBSecurityPolicy-TLS13-1-2-*", "ELBSecurityPolicy-TLS13-1-3-*",
				"ELBSecurityPolicy-TLS-1-2-*", "ELBSecurityPolicy-FS-1-2-*",
			},
			CloudFront: []string{"TLSv1.2_*", "TLSv1.3_*"},
			APIGateway: []string{"TLS_1_2", "SecurityPolicy_TLS12_*", "SecurityPolicy_TLS13_*"},
			OpenSearch: []string{"Policy-Min-TLS-1-2-*"},
			Transfer: []string{
				"TransferSecurityPolicy-202*", "TransferSecurityPolicy-FIPS-202*", "TransferSecurityPolicy-PQ-*",
				"TransferSecurityPolicy-Restricted-*", "TransferSecurityPolicy-SshAuditCompliant-*",
			},
		},
	}
}

// WithDefaults returns a policy in which every unset field has its default.
// p is not changed and may be nil.
func (p *Policy) WithDefaults() *Policy {
	d := DefaultPolicy()
	if p == nil {
		return d
	}
	out := *p
	if out.Version == 0 {
		out.Version = d.Version
	}
	if out.Scope.Default == "" {
		out.Scope.Default = d.Scope.Default
	}
	for _, x := range []struct{ to, from *[]int }{
		{&out.Ports.Admin, &d.Ports.Admin},
		{&out.Ports.Database, &d.Ports.Database},
		{&out.Ports.Cleartext, &d.Ports.Cleartext},
		{&out.Ports.Public, &d.Ports.Public},
	} {
		if *x.to == nil {
			*x.to = *x.from
		}
	}
	for _, x := range []struct{ to, from *int }{
		{&out.Retention.LogDays, &d.Retention.LogDays},
		{&out.Retention.BackupDays, &d.Retention.BackupDays},
		{&out.Retention.SecretRotationDays, &d.Retention.SecretRotationDays},
		{&out.Retention.KeyDeletionDays, &d.Retention.KeyDeletionDays},
		{&out.Passwords.MinLength, &d.Passwords.MinLength},
		{&out.Passwords.MaxAgeDays, &d.Passwords.MaxAgeDays},
		{&out.Passwords.History, &d.Passwords.History},
		{&out.SLA.Critical, &d.SLA.Critical},
		{&out.SLA.High, &d.SLA.High},
		{&out.SLA.Medium, &d.SLA.Medium},
		{&out.SLA.Low, &d.SLA.Low},
		{&out.Remediation.ExpiryHours, &d.Remediation.ExpiryHours},
		{&out.Remediation.FollowWithinDays, &d.Remediation.FollowWithinDays},
	} {
		if *x.to == 0 {
			*x.to = *x.from
		}
	}
	for _, x := range []struct{ to, from *[]string }{
		{&out.TLSPolicies.ELB, &d.TLSPolicies.ELB},
		{&out.TLSPolicies.CloudFront, &d.TLSPolicies.CloudFront},
		{&out.TLSPolicies.APIGateway, &d.TLSPolicies.APIGateway},
		{&out.TLSPolicies.OpenSearch, &d.TLSPolicies.OpenSearch},
		{&out.TLSPolicies.Transfer, &d.TLSPolicies.Transfer},
	} {
		if *x.to == nil {
			*x.to = *x.from
		}
	}
	out.Remediation.Limits = out.Limits()
	return &out
}
