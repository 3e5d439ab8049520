## Where a server listens: its HTTP port, with or without TLS.
@tool
extends RefCounted

const DEFAULT := "http://127.0.0.1:50052"

var host := ""
var port := 0
var tls := false


## Return the endpoint that an address such as "http://127.0.0.1:50052", "assets.example.org" or
## "https://assets.example.org" means, or null when it means none. A name without a scheme and
## without a port is taken for https; with a port for http on this machine, else for https.
static func parse(address: String) -> RefCounted:
	var text := address.strip_edges().trim_suffix("/")
	var scheme := text.get_slice("://", 0).to_lower() if "://" in text else ""
	var rest := text.get_slice("://", 1) if scheme else text
	if rest.is_empty() or "/" in rest or "@" in rest or scheme not in ["", "http", "https"]:
		return null
	var digits := ""
	var name := rest
	var colon := rest.rfind(":")
	if colon > rest.rfind("]"):
		name = rest.substr(0, colon)
		digits = rest.substr(colon + 1)
		if not digits.is_valid_int() or int(digits) < 1 or int(digits) > 65535:
			return null
	name = name.trim_prefix("[").trim_suffix("]")
	if name.is_empty() or " " in name:
		return null
	var endpoint: RefCounted = new()
	endpoint.host = name
	endpoint.tls = scheme == "https" or (scheme.is_empty() and not is_here(name))
	endpoint.port = int(digits) if digits else (443 if endpoint.tls else 80)
	if not digits and not scheme and is_here(name):
		endpoint.port = 50052
	return endpoint


## Whether a host is this machine.
static func is_here(name: String) -> bool:
	return name in ["127.0.0.1", "localhost", "::1"]
