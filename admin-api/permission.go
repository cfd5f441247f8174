package adminapi

import (
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// What a method may need besides a permission of a role.
const (
	unnamed  tenants.Permission = ""
	public   tenants.Permission = "public"
	signedIn tenants.Permission = "signed in"
	// inSession is signed in by a session: what no API token may do.
	inSession tenants.Permission = "signed in by a session"
)

// permissionOf returns what the schema says that a method needs.
func permissionOf(spec connect.Spec) tenants.Permission {
	method, ok := spec.Schema.(protoreflect.MethodDescriptor)
	if !ok {
		return unnamed
	}
	return permissionOfMethod(method)
}

func permissionOfMethod(method protoreflect.MethodDescriptor) tenants.Permission {
	p, ok := proto.GetExtension(method.Options(), adminv1.E_Permission).(adminv1.Permission)
	if !ok {
		return unnamed
	}
	return permissionFromProto(p)
}

// everyMethodNamesAPermission keeps a program from starting with a method that nobody could call.
func everyMethodNamesAPermission() (err error) {
	protoregistry.GlobalFiles.RangeFilesByPackage("peal.admin.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				if permissionOfMethod(methods.Get(j)) == unnamed {
					err = fmt.Errorf("%s names no permission", methods.Get(j).FullName())
				}
			}
		}
		return err == nil
	})
	return err
}
