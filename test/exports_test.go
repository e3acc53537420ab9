package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// source is a package of ours that has been parsed and checked, without test files.
type source struct {
	path  string
	files []*ast.File
	pkg   *types.Package
	info  *types.Info
}

// TestExports: each exported name and method below plugin is needed by another package. Tests of
// other packages do not count; the packages that they share do.
func TestExports(t *testing.T) {
	found := needless(readSources(t))
	for _, name := range found {
		if !slices.Contains(early, name) {
			t.Errorf("no other package needs %s", name)
		}
	}
	for _, name := range early {
		if !slices.Contains(found, name) {
			t.Errorf("%s is not needless: take it from the list", name)
		}
	}
}

// early are names that no other package needs yet.
var early = []string{}

// forTests are packages below plugin that only tests use.
var forTests = []string{internal + "/cluster/clustertest", internal + "/answer/answertest", internal + "/kube/kubetest"}

// unnamed are methods that others call through interfaces without a name.
var unnamed = []string{
	"Unwrap",                          // errors
	"IsWatchListSemanticsUnSupported", // k8s.io/client-go/util/watchlist
}

// needless returns the exported names and methods of the packages below plugin that no
// other package needs: none uses them, or has to know them to use another name.
func needless(all []source) []string {
	e := exports{live: map[string]bool{}, all: all}
	for _, s := range all {
		e.interfaces = append(e.interfaces, interfacesOf(s)...)
		for _, o := range s.info.Uses {
			if o.Pkg() != nil && o.Exported() && o.Pkg().Path() != s.path {
				e.need(o)
			}
		}
	}
	var found []string
	for _, s := range all {
		if !under(s.path, plugins) || underAny(s.path, forTests) {
			continue
		}
		for _, group := range declared(s) {
			if !slices.ContainsFunc(group, e.needed) {
				found = append(found, key(group[0]))
			}
		}
	}
	slices.Sort(found)
	return found
}

// exports records which names other packages need.
type exports struct {
	live       map[string]bool // by key
	all        []source
	interfaces []*types.Interface
}

// key returns the name of an object. All instances of a generic object have the same name.
func key(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return o.Pkg().Path() + "." + o.Name()
	}
	receiver := f.Origin().Signature().Recv().Type()
	if p, ok := receiver.(*types.Pointer); ok {
		receiver = p.Elem()
	}
	if named, ok := receiver.(*types.Named); ok {
		return o.Pkg().Path() + "." + named.Obj().Name() + "." + o.Name()
	}
	return o.Pkg().Path() + "." + o.Name()
}

// need records that an object is needed, with the types in its declaration.
func (e *exports) need(o types.Object) {
	if v, ok := o.(*types.Var); ok && v.IsField() {
		e.needTypes(o.Type())
		return
	}
	k := key(o)
	if e.live[k] {
		return
	}
	e.live[k] = true
	switch o := o.(type) {
	case *types.TypeName:
		e.needTypes(o.Type())
		if _, alias := o.Type().(*types.Alias); !alias {
			e.needTypes(o.Type().Underlying())
		}
	case *types.Func:
		e.needTypes(o.Type())
		if recv := o.Signature().Recv(); recv != nil {
			e.needTypes(recv.Type())
		}
	default:
		e.needTypes(o.Type())
	}
}

// needTypes records the named types of ours that a type consists of.
func (e *exports) needTypes(t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		e.needName(t.Obj())
		e.needTypes(types.Unalias(t))
	case *types.Named:
		e.needName(t.Obj())
		for arg := range t.TypeArgs().Types() {
			e.needTypes(arg)
		}
	case *types.Map:
		e.needTypes(t.Key())
		e.needTypes(t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		e.needTypes(t.Elem())
	case *types.Signature:
		e.needTypes(t.Params())
		e.needTypes(t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			e.needTypes(v.Type())
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				e.needTypes(f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			e.needTypes(m.Type())
		}
	}
}

func (e *exports) needName(o types.Object) {
	if o.Pkg() != nil && under(o.Pkg().Path(), module) {
		e.need(o)
	}
}

// needed reports whether another package needs an object. A method may be called by an interface.
func (e *exports) needed(o types.Object) bool {
	if e.live[key(o)] {
		return true
	}
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return false
	}
	if slices.Contains(unnamed, o.Name()) {
		return true
	}
	receiver := f.Signature().Recv().Type()
	if _, pointer := receiver.(*types.Pointer); !pointer {
		receiver = types.NewPointer(receiver)
	}
	generic := receiver.(*types.Pointer).Elem().(*types.Named).TypeParams().Len() > 0
	return slices.ContainsFunc(e.interfaces, func(i *types.Interface) bool {
		has, _, _ := types.LookupFieldOrMethod(i, false, o.Pkg(), o.Name())
		return has != nil && (generic || types.Implements(receiver, i))
	})
}

// interfacesOf returns the interfaces that a package declares or writes inline, and those
// of all packages that it imports.
func interfacesOf(s source) []*types.Interface {
	found := map[*types.Interface]bool{}
	for _, tv := range s.info.Types {
		if i, ok := tv.Type.Underlying().(*types.Interface); ok && tv.IsType() {
			found[i] = true
		}
	}
	for _, p := range s.pkg.Imports() {
		for _, name := range p.Scope().Names() {
			if i, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Interface); ok {
				found[i] = true
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}

// declared returns the exported names and methods of a package, each in a group of its own.
// The constants of one declaration form one group.
func declared(s source) [][]types.Object {
	var groups [][]types.Object
	for _, file := range s.files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				groups = append(groups, exported(s, d.Name))
			case *ast.GenDecl:
				groups = append(groups, declaredBy(s, d)...)
			}
		}
	}
	return slices.DeleteFunc(groups, func(g []types.Object) bool { return len(g) == 0 })
}

func declaredBy(s source, d *ast.GenDecl) (groups [][]types.Object) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			groups = append(groups, exported(s, spec.Name))
		case *ast.ValueSpec:
			groups = append(groups, exported(s, spec.Names...))
		}
	}
	if d.Tok == token.CONST {
		return [][]types.Object{slices.Concat(groups...)}
	}
	return groups
}

func exported(s source, names ...*ast.Ident) (objects []types.Object) {
	for _, name := range names {
		if name.IsExported() {
			objects = append(objects, s.info.Defs[name])
		}
	}
	return objects
}

// A rule must be able to fail: each row has names that another package needs, or just does
// not.
func TestNeedless(t *testing.T) {
	const used, user = internal + "/used", module + "/cmd/user"
	for _, tc := range []struct{ title, used, user, needless string }{
		{"a function", "func F() {}", "used.F()", ""},
		{"a function that nobody calls", "func F() {}; func g() { F() }", "", "F"},
		{"a method", "type T struct{}; func (T) M() {}", "used.T{}.M()", ""},
		{"a method that nobody calls", "type T struct{}; func (T) M() {}", "_ = used.T{}", "T.M"},
		{"a method of a type without a name outside", "type t struct{}; func (*t) M() {}; func F() *t { return nil }", "used.F().M()", ""},
		{"a method that an interface calls", "type T struct{}; func (T) String() (s string) { return }; var V other.Stringer = T{}", "_, _ = used.V, used.T{}", ""},
		{"a method that is like one of an interface", "type T struct{}; func (T) String() {}; var V other.Stringer", "_, _ = used.V, used.T{}", "T.String"},
		{"an interface of its own", "type I interface{ M() }; type t struct{}; func (*t) M() {}; func F() I { return new(t) }", "used.F().M()", ""},
		{"a result", "type T struct{}; func F() []*T { return nil }", "used.F()", ""},
		{"a parameter of a function that is a field", "type T int; type S struct{ F func(T) }", "_ = used.S{}", ""},
		{"a field that is not exported", "type T int; type S struct{ f T }", "_ = used.S{}", "T"},
		{"a constant of a group", "const (\n A = iota\n B\n)", "_ = used.B", ""},
		{"a constant alone", "const A = 1; const B = 2", "_ = used.B", "A"},
		{"a variable in a group", "var (\n A = 1\n B = 2\n)", "_ = used.B", "A"},
		{"a generic type", "type T[K any] struct{ k K }; func (T[K]) M() {}", "used.T[int]{}.M()", ""},
		{"a generic method that nobody calls", "type T[K any] struct{ k K }; func (T[K]) M() {}", "_ = used.T[int]{}", "T.M"},
		{"an alias", "type T struct{}; type A = T", "_ = used.A{}", ""},
		{"a field alone of the same name", "type T int; type S struct{ T int }", "_ = used.S{}.T", "T"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			c := newChecker()
			var all []source
			for _, p := range []struct{ path, text string }{
				{module + "/cmd/other", "package other; type Stringer interface{ String() string }"},
				{used, "package used; import \"" + module + "/cmd/other\"; var _ other.Stringer; const Anchor = 0\n" + tc.used},
				{user, "package user; import \"" + used + "\"; const _ = used.Anchor; func f() { " + tc.user + " }"},
			} {
				s, err := c.check(p.path, map[string]any{p.path + ".go": p.text})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, s)
			}
			if got := strings.ReplaceAll(strings.Join(needless(all), " "), used+".", ""); got != tc.needless {
				t.Errorf("%q is needless, want %q", got, tc.needless)
			}
		})
	}
}

// readSources parses and checks all packages of the module. The packages of other modules
// come from the compiler's export data.
func readSources(t *testing.T) []source {
	t.Helper()
	type listing struct {
		ImportPath, Dir, Export string
		GoFiles                 []string
	}
	cmd := exec.Command("go", "list", "-export", "-deps", "-tags=e2e,soak", "-json=ImportPath,Dir,Export,GoFiles", module+"/...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	checker := newChecker()
	var sources []source
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listing
		if err := decoder.Decode(&l); errors.Is(err, io.EOF) {
			return sources
		} else if err != nil {
			t.Fatal(err)
		}
		if !under(l.ImportPath, module) {
			checker.files[l.ImportPath] = l.Export
			continue
		}
		texts := map[string]any{}
		for _, name := range l.GoFiles {
			texts[filepath.Join(l.Dir, name)] = nil // read from the disk
		}
		s, err := checker.check(l.ImportPath, texts)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
}

// checker checks packages, each after those that it imports.
type checker struct {
	set     *token.FileSet
	files   map[string]string // export data of other packages, by path
	checked map[string]*types.Package
	other   types.Importer
}

func newChecker() *checker {
	c := &checker{set: token.NewFileSet(), files: map[string]string{}, checked: map[string]*types.Package{}}
	c.other = importer.ForCompiler(c.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(c.files[path]) })
	return c
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if p := c.checked[path]; p != nil {
		return p, nil
	}
	return c.other.Import(path)
}

func (c *checker) check(path string, texts map[string]any) (source, error) {
	s := source{path: path, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		file, err := parser.ParseFile(c.set, name, texts[name], parser.SkipObjectResolution)
		if err != nil {
			return s, err
		}
		s.files = append(s.files, file)
	}
	var err error
	config := types.Config{Importer: c}
	if s.pkg, err = config.Check(path, c.set, s.files, s.info); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	c.checked[path] = s.pkg
	return s, nil
}
