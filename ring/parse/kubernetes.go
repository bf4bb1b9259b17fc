package parse

import "strings"

// KubernetesPath returns what the path of a container's log says about it. It
// knows the files of the kubelet, the links to them and, without namespace and
// pod, the files of Docker, where the container's id stands for its name:
//
//	pods/NAMESPACE_POD_UID/CONTAINER/N.log
//	containers/POD_NAMESPACE_CONTAINER-ID.log
//	containers/ID/ID-json.log
//
// in any directory, as they may be mounted anywhere. ok is false for any other
// path, also where a part is not a name that Kubernetes allows.
func KubernetesPath(path string) (namespace, pod, container string, ok bool) {
	parts := strings.Split(path, "/")
	n := len(parts)
	switch {
	case n >= 4 && parts[n-4] == "pods":
		return podsPath(parts[n-3], parts[n-2], parts[n-1])
	case n >= 2 && parts[n-2] == "containers":
		return linkPath(parts[n-1])
	case n >= 3 && parts[n-3] == "containers":
		if id := parts[n-2]; isContainerID(id) && rotates(parts[n-1], id+"-json.log") {
			return "", "", id, true
		}
	}
	return "", "", "", false
}

// podsPath is KubernetesPath for the three names below pods.
func podsPath(dir, container, file string) (string, string, string, bool) {
	names := strings.Split(dir, "_")
	number := digitsEnd([]byte(file), 0)
	if len(names) != 3 || number == 0 || !rotates(file[number:], ".log") {
		return "", "", "", false
	}
	namespace, pod, uid := names[0], names[1], names[2]
	if !isLabel(namespace) || !isSubdomain(pod) || !isSubdomain(strings.ToLower(uid)) || !isLabel(container) {
		return "", "", "", false
	}
	return namespace, pod, container, true
}

// linkPath is KubernetesPath for a name below containers.
func linkPath(file string) (string, string, string, bool) {
	name, ok := strings.CutSuffix(file, ".log")
	names := strings.Split(name, "_")
	if !ok || len(names) != 3 {
		return "", "", "", false
	}
	pod, namespace, container := names[0], names[1], names[2]
	dash := strings.LastIndexByte(container, '-')
	if dash < 0 || !isContainerID(container[dash+1:]) {
		return "", "", "", false
	}
	container = container[:dash]
	if !isSubdomain(pod) || !isLabel(namespace) || !isLabel(container) {
		return "", "", "", false
	}
	return namespace, pod, container, true
}

// rotates reports whether a file has this name, or one with a point and more
// behind it, as rotated files have.
func rotates(file, name string) bool {
	rest, ok := strings.CutPrefix(file, name)
	return ok && (rest == "" || rest[0] == '.')
}

// isContainerID reports whether id is the 64 digits that runtimes use.
func isContainerID(id string) bool {
	return len(id) == 64 && strings.Trim(id, "0123456789abcdef") == ""
}

// isLabel reports whether name may be that of a namespace or a container: a
// label of the DNS.
func isLabel(name string) bool {
	return len(name) <= 63 && isSubdomain(name) && !strings.Contains(name, ".")
}

// isSubdomain reports whether name may be that of a pod: lower-case letters,
// digits, dashes and points, the first and the last being letters or digits.
func isSubdomain(name string) bool {
	const inner, outer = "abcdefghijklmnopqrstuvwxyz0123456789-.", "-."
	return name != "" && len(name) <= 253 && strings.Trim(name, inner) == "" && strings.Trim(name, outer) == name
}
