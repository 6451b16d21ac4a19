package catalog

import (
	"slices"
	"time"
)

// Variables of the environment of the functions that people decide by.
const (
	AnchorVar      = "ANCHOR_BUCKET"  // bucket, whose objects are locked, of the heads of the ledger
	InboxVar       = "APPROVAL_INBOX" // page on which people find what waits for them; may be unset
	SessionsVar    = "SESSIONS_TABLE" // table of changes, of which the function has the rows of sessions alone
	SiteVar        = "SITE"           // address of the page as browsers know it
	IssuerVar      = "OIDC_ISSUER"
	ClientVar      = "OIDC_CLIENT"
	NameClaimVar   = "OIDC_NAME_CLAIM"   // claim with a person's name; may be unset
	GroupsClaimVar = "OIDC_GROUPS_CLAIM" // claim with a person's groups; may be unset
)

// anchors is the prefix of the keys in the bucket of anchors.
const anchors = "anchors/"

// Approval lists the functions of the page on which people decide on changes,
// which API Gateway calls. They are apart as the page is there only where the
// organisation has an issuer of identities.
var Approval = []Task{
	{
		Name: "ApprovalPage", Folder: "approvalpage", Vars: []string{BucketVar, ChangesVar, LedgerVar, IssuerVar, ClientVar}, MaySet: []string{NameClaimVar, GroupsClaimVar},
		Timeout: 20 * time.Second, MemoryMB: 256, // API Gateway waits for 30 seconds
		Actions: slices.Concat(readObjects, appendEntry, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "states:SendTaskSuccess"}), Reads: []string{changes},
		Mutates: true,
	},
	{
		// Outside of the VPC, since the issuer is. It opens and closes sessions, and
		// reads nothing.
		Name: "SignIn", Folder: "signin", Vars: []string{SessionsVar, SiteVar, IssuerVar, ClientVar}, MaySet: []string{NameClaimVar, GroupsClaimVar},
		Timeout: 20 * time.Second, MemoryMB: 256,
		Actions: []string{"dynamodb:DeleteItem", "dynamodb:PutItem"},
		Mutates: true,
	},
}
