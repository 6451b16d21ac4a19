package ruleset

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
)

func networkFunctions() []Function {
	return []Function{{
		Name: "isWorld", Group: "Networks",
		Signature: []string{"isWorld(cidr string) bool"},
		Doc:       "Whether a CIDR block is every address: 0.0.0.0/0, ::/0, other notations of them, a half of IPv4 (0.0.0.0/1), and 2000::/3, which is all of IPv6 on the Internet. \"\" is not.",
		Examples:  []string{`isWorld("0.0.0.0/0")`, `isWorld("::/0")`, `isWorld("128.0.0.0/1")`, `!isWorld("10.0.0.0/8")`},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val { return worldCIDR(a[0]) }}},
	}, {
		Name: "fromWorld", Group: "Networks",
		Signature: []string{"fromWorld(rule) bool"},
		Doc:       "Whether a security group rule, network ACL entry or route is about every address: any of its CidrIp, CidrIpv6, CIDRIP, CidrBlock, Ipv6CidrBlock, DestinationCidrBlock, DestinationIpv6CidrBlock is the world.",
		Examples:  []string{"resource.SecurityGroupIngress.exists(i, fromWorld(i) && opens(i, 22))"},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val { return fromWorld(a[0]) }}},
	}, {
		Name: "opens", Group: "Networks",
		Signature: []string{"opens(rule, port int) bool", "opens(rule, ports list(int)) bool"},
		Doc: "Whether a security group rule or network ACL entry lets in TCP or UDP on the port, or on one of the ports: protocol -1, or tcp or udp (also as numbers) with the port in FromPort to ToPort. " +
			"Ports that are absent or -1 mean all.",
		Examples: []string{"opens(i, policy.ports.admin)"},
		whole:    true,
		overloads: []overload{
			{args: []*cel.Type{cel.DynType, cel.IntType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val { return opens(a[0], a[1]) }},
			{args: []*cel.Type{cel.DynType, cel.ListType(cel.IntType)}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
				return opensAny(a[0], a[1])
			}},
		},
	}, {
		Name: "portCount", Group: "Networks",
		Signature: []string{"portCount(rule) int"},
		Doc:       "How many ports a security group rule opens: 65536 for all.",
		Examples:  []string{"portCount(i) > 1000"},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.IntType, call: func(a ...ref.Val) ref.Val { return portCount(a[0]) }}},
	}, {
		Name: "covers", Group: "Networks",
		Signature: []string{"covers(from int, to int, port int) bool"},
		Doc:       "Whether a port range holds the port; -1 at either end means all.",
		Examples:  []string{"covers(0, 1024, 22)", "covers(-1, -1, 22)"},
		overloads: []overload{{args: []*cel.Type{cel.IntType, cel.IntType, cel.IntType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			from, to, port := a[0].(types.Int), a[1].(types.Int), a[2].(types.Int)
			return types.Bool(from == -1 || to == -1 || from <= port && port <= to)
		}}},
	}, {
		Name: "cidrPrefix", Group: "Networks",
		Signature: []string{"cidrPrefix(cidr string) int"},
		Doc:       "The prefix length of a CIDR block; of an address without one 32 or 128; an error for what is neither.",
		Examples:  []string{`cidrPrefix("10.0.0.0/8") == 8`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.IntType, call: func(a ...ref.Val) ref.Val {
			p, ok := parseCIDR(string(a[0].(types.String)))
			if !ok {
				return types.NewErr("%q is no CIDR block", a[0].Value())
			}
			return types.Int(p.Bits())
		}}},
	}, {
		Name: "isPrivate", Group: "Networks",
		Signature: []string{"isPrivate(cidr string) bool"},
		Doc:       "Whether a CIDR block lies in private address space (RFC 1918, RFC 6598, unique local, link local, loopback).",
		Examples:  []string{`isPrivate("10.1.0.0/16")`, `!isPrivate("8.8.8.0/24")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			p, ok := parseCIDR(string(a[0].(types.String)))
			return types.Bool(ok && private(p))
		}}},
	}}
}

// parseCIDR reads a block, or an address as a block of one.
func parseCIDR(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	address, bits, ok := strings.Cut(s, "/")
	if !ok {
		return netip.Prefix{}, false
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	// netip refuses "0.0.0.0/00"; EC2 does not.
	n, err := strconv.Atoi(bits)
	if err != nil || n < 0 || n > addr.BitLen() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, n), true
}

// privateBlocks is parsed at first use, not at start.
var privateBlocks = sync.OnceValue(func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range [...]string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
		"100.64.0.0/10",               // RFC 6598
		"169.254.0.0/16", "fe80::/10", // link local
		"127.0.0.0/8", "::1/128", // loopback
		"fc00::/7", // unique local
	} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
})

func private(p netip.Prefix) bool {
	for _, b := range privateBlocks() {
		if b.Bits() <= p.Bits() && b.Contains(p.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// isWorld reports whether a block is every address, or so many that nobody is
// kept out by it: a half of IPv4, by two of which a rule says 0.0.0.0/0 in other
// words, or all of IPv6 that is routed on the Internet, 2000::/3.
func isWorld(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() <= 1
	}
	return p.Bits() == 0 || p.Bits() <= 3 && p.Contains(netip.AddrFrom16([16]byte{0x20}))
}

// worldCIDR is isWorld of a plain or symbolic text. A VPC's or subnet's own
// block is never the world, since AWS allows /16 at most.
func worldCIDR(v ref.Val) ref.Val {
	switch v := v.(type) {
	case types.String:
		p, ok := parseCIDR(string(v))
		return types.Bool(ok && isWorld(p))
	case *symbolic:
		if len(v.pieces) == 1 && v.pieces[0].ref != nil && strings.HasPrefix(v.pieces[0].ref.Attribute, "CidrBlock") {
			return types.False
		}
		// The length of the prefix is the last part: where it is longer it is not the world.
		if last := v.pieces[len(v.pieces)-1]; !last.gap {
			bits := last.text[strings.LastIndexByte(last.text, '/')+1:]
			if n, err := strconv.Atoi(strings.TrimSpace(bits)); err != nil || n > 3 {
				return types.False
			}
		}
		return v.unknown()
	case *types.Unknown:
		return v
	}
	return types.MaybeNoSuchOverloadErr(v)
}

var worldProperties = []string{"CidrIp", "CidrIpv6", "CIDRIP", "CidrBlock", "Ipv6CidrBlock", "DestinationCidrBlock", "DestinationIpv6CidrBlock"}

// fields is the mapping behind a resource or property.
func fields(v ref.Val) (*cfn.Value, *owner, bool) {
	switch v := v.(type) {
	case *view:
		return v.value, v.owner, true
	case *mapView:
		return v.value, v.owner, true
	}
	return nil, nil, false
}

// field is one property of a mapping whose type the rule did not say.
func field(v *cfn.Value, o *owner, name string) (ref.Val, bool) {
	child := v.Get(name)
	if child == nil || child.Kind == cfn.Null {
		return nil, false
	}
	if o.trace != nil {
		o.trace.read(o, v, name, child)
	}
	return o.convert(child, anyType, name), true
}

func fromWorld(rule ref.Val) ref.Val {
	v, o, ok := fields(rule)
	if !ok {
		return types.MaybeNoSuchOverloadErr(rule)
	}
	list := refList{}
	for _, name := range worldProperties {
		if x, ok := field(v, o, name); ok {
			list = append(list, x)
		}
	}
	return anyOf(list, worldCIDR)
}

// opens decides one rule and one port.
func opens(rule, port ref.Val) ref.Val {
	v, o, ok := fields(rule)
	if !ok {
		return types.MaybeNoSuchOverloadErr(rule)
	}
	protocol := protocolCovers(v, o)
	switch protocol {
	case allProtocols:
		return types.True
	case types.True:
		return portInRange(v, o, port)
	}
	return protocol // it may be all protocols, whatever the ports are
}

// opensAny decides one rule and a list of ports: the rule is read once.
func opensAny(rule, ports ref.Val) ref.Val {
	v, o, ok := fields(rule)
	list, isList := ports.(traits.Lister)
	if !ok || !isList {
		return anyOf(ports, func(port ref.Val) ref.Val { return opens(rule, port) })
	}
	n, _ := sizeOf(list)
	if n == 0 {
		return types.False
	}
	switch protocol := protocolCovers(v, o); protocol {
	case allProtocols:
		return types.True
	case types.True:
	default:
		return protocol
	}
	from, to, all := portRange(v, o)
	if all {
		return types.True
	}
	return anyOf(list, func(port ref.Val) ref.Val { return and(atMost(from, port), atMost(port, to)) })
}

// allProtocols is protocolCovers' answer that ports do not count either.
const allProtocols = types.Int(-1)

// protocolCovers answers whether a rule is about TCP or UDP.
func protocolCovers(v *cfn.Value, o *owner) ref.Val {
	name := "IpProtocol"
	if v.Get(name) == nil {
		name = "Protocol" // of a network ACL entry
	}
	p, there := field(v, o, name)
	if !there {
		return allProtocols // EC2 asks for it; a rule without one is read as the widest
	}
	switch p := p.(type) {
	case types.String:
		switch strings.ToLower(strings.TrimSpace(string(p))) {
		case "-1", "all":
			return allProtocols
		case "tcp", "udp", "6", "17":
			return types.True
		}
		return types.False
	case types.Int:
		switch p {
		case -1:
			return allProtocols
		case 6, 17:
			return types.True
		}
		return types.False
	case *symbolic:
		return p.unknown()
	}
	return p
}

// portRange is the range of a rule; all is true where it names none or -1.
func portRange(v *cfn.Value, o *owner) (from, to ref.Val, all bool) {
	if r := v.Get("PortRange"); r.IsKind(cfn.Map) { // network ACL entry
		from, fromSet := number(r, o, "From")
		to, toSet := number(r, o, "To")
		return from, to, !fromSet && !toSet
	}
	from, fromSet := number(v, o, "FromPort")
	to, toSet := number(v, o, "ToPort")
	switch {
	case !fromSet && !toSet:
		return nil, nil, true
	case !toSet:
		to = from
	case !fromSet:
		from = to
	}
	return from, to, from == types.Int(-1) || to == types.Int(-1)
}

// number reads an integer that may be written as text.
func number(v *cfn.Value, o *owner, name string) (ref.Val, bool) {
	child := v.Get(name)
	if child == nil || child.Kind == cfn.Null {
		return nil, false
	}
	if o.trace != nil {
		o.trace.read(o, v, name, child)
	}
	return o.convert(child, intType, name), true
}

func portInRange(v *cfn.Value, o *owner, port ref.Val) ref.Val {
	from, to, all := portRange(v, o)
	if all {
		return types.True
	}
	return and(atMost(from, port), atMost(port, to))
}

// atMost is a <= b of integers that may be unknown.
func atMost(a, b ref.Val) ref.Val {
	if u := strict(a, b); u != nil {
		return u
	}
	x, ok := a.(types.Int)
	y, ok2 := b.(types.Int)
	if !ok || !ok2 {
		return types.MaybeNoSuchOverloadErr(a)
	}
	return types.Bool(x <= y)
}

func portCount(rule ref.Val) ref.Val {
	v, o, ok := fields(rule)
	if !ok {
		return types.MaybeNoSuchOverloadErr(rule)
	}
	switch p := protocolCovers(v, o); p {
	case types.False:
		return types.IntZero
	case allProtocols:
		return types.Int(65536)
	case types.True:
	default:
		return p
	}
	from, to, all := portRange(v, o)
	if all {
		return types.Int(65536)
	}
	if u := strict(from, to); u != nil {
		return u
	}
	return types.Int(to.(types.Int) - from.(types.Int) + 1)
}
