// Command proto generates the Go code of every .proto file under a folder,
// beside the file.
//
//	go run . -module hew/serve/grpc/proto ../../../serve/grpc/proto
//
// It needs no protoc: protocompile parses the files, and the two plugins are
// tools of this module, pinned by its go.mod. It is a module of its own so that
// nothing here becomes a dependency of hew.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	module := flag.String("module", "", "import path of `FOLDER`; the packages are named after its sub-folders")
	flag.Parse()
	if flag.NArg() != 1 || *module == "" {
		fmt.Fprintln(os.Stderr, "usage: proto -module PATH FOLDER")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *module); err != nil {
		fmt.Fprintln(os.Stderr, "proto:", err)
		os.Exit(1)
	}
}

func run(dir, module string) error {
	names, err := protos(dir)
	if err != nil {
		return err
	}
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{dir}},
		SourceInfoMode: protocompile.SourceInfoStandard, // carries the comments
	}
	files, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		return err
	}
	request := newRequest(files, module)
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		if err := generate(plugin, request, dir); err != nil {
			return fmt.Errorf("%s: %w", plugin, err)
		}
	}
	return nil
}

// protos returns the .proto files under dir, relative to it, sorted.
func protos(dir string) ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".proto" {
			names = append(names, name)
		}
		return err
	})
	if err == nil && names == nil {
		err = fmt.Errorf("no .proto files in %s", dir)
	}
	return names, err
}

// newRequest asks for the code of all files. The import paths are parameters
// rather than go_package options, which would end up in the descriptors: code
// that is copied elsewhere keeps a descriptor that is true.
func newRequest(files linker.Files, module string) *pluginpb.CodeGeneratorRequest {
	r := &pluginpb.CodeGeneratorRequest{}
	parameters := []string{"paths=source_relative"}
	for _, f := range files {
		r.FileToGenerate = append(r.FileToGenerate, f.Path())
		r.ProtoFile = append(r.ProtoFile, protodesc.ToFileDescriptorProto(f))
		parameters = append(parameters, "M"+f.Path()+"="+path.Join(module, path.Dir(f.Path())))
	}
	r.Parameter = proto.String(strings.Join(parameters, ","))
	return r
}

// generate runs a plugin and writes the files it answers with below dir.
func generate(plugin string, request *pluginpb.CodeGeneratorRequest, dir string) error {
	in, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "tool", plugin)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return err
	}
	if response.Error != nil {
		return errors.New(response.GetError())
	}
	for _, f := range response.File {
		name := filepath.Join(dir, filepath.FromSlash(f.GetName()))
		if err := os.WriteFile(name, []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
