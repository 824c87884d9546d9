package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

type served struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	cel        *schemacel.Validator
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	all := map[string]*served{}
	var definitions []json.RawMessage
	for _, path := range os.Args[1:] {
		data, err := os.ReadFile(path)
		must(err)
		docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
		for {
			doc, err := docs.Read()
			if err == io.EOF {
				break
			}
			must(err)
			var head struct{ Kind string }
			j, err := utilyaml.ToJSON(doc)
			must(err)
			json.Unmarshal(j, &head)
			if head.Kind != "CustomResourceDefinition" {
				continue
			}
			var crd v1.CustomResourceDefinition
			must(json.Unmarshal(j, &crd))
			definitions = append(definitions, j)
			scheme.Default(&crd)
			var internal apiextensions.CustomResourceDefinition
			must(scheme.Convert(&crd, &internal, nil))
			if len(internal.Status.StoredVersions) == 0 {
				for _, v := range internal.Spec.Versions {
					if v.Storage {
						internal.Status.StoredVersions = []string{v.Name}
					}
				}
			}
			for _, e := range crdvalidation.ValidateCustomResourceDefinition(context.TODO(), &internal) {
				fmt.Fprintf(os.Stderr, "%s: %v\n", crd.Name, e)
			}
			for _, v := range crd.Spec.Versions {
				if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
					continue
				}
				var props apiextensions.JSONSchemaProps
				must(v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil))
				s, err := structuralschema.NewStructural(&props)
				must(err)
				validator, _, err := validation.NewSchemaValidator(&props)
				must(err)
				all[crd.Name+"/"+v.Name] = &served{s, validator, schemacel.NewValidator(s, true, celconfig.PerCallLimit)}
			}
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if os.Getenv("DEFINITIONS") != "" {
		must(out.Encode(definitions))
		return
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		must(err)
		var q struct {
			Of     string
			Object json.RawMessage
			Old    json.RawMessage
		}
		must(json.Unmarshal(line, &q))
		of := all[q.Of]
		var u map[string]interface{}
		must(utiljson.Unmarshal(q.Object, &u))
		answer := map[string]interface{}{}
		meta, found, err := objectmeta.GetObjectMeta(u, false)
		if err != nil {
			answer["refused"] = err.Error()
			must(out.Encode(answer))
			continue
		}
		opts := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
		unknown := pruning.PruneWithOptions(u, of.structural, true, opts)
		defaulting.PruneNonNullableNullsWithoutDefaults(u, of.structural)
		cerr, more := objectmeta.CoerceWithOptions(nil, u, of.structural, false, objectmeta.CoerceOptions{DropInvalidFields: false, ReturnUnknownFieldPaths: true})
		if cerr != nil {
			answer["refused"] = cerr.Error()
			must(out.Encode(answer))
			continue
		}
		if found {
			must(objectmeta.SetObjectMeta(u, meta))
		}
		defaulting.Default(u, of.structural)
		var errs field.ErrorList
		if len(q.Old) > 0 {
			var old map[string]interface{}
			must(utiljson.Unmarshal(q.Old, &old))
			oldMeta, oldFound, err := objectmeta.GetObjectMeta(old, false)
			must(err)
			pruning.PruneWithOptions(old, of.structural, true, opts)
			defaulting.PruneNonNullableNullsWithoutDefaults(old, of.structural)
			if e, _ := objectmeta.CoerceWithOptions(nil, old, of.structural, false, objectmeta.CoerceOptions{}); e != nil {
				must(out.Encode(map[string]interface{}{"refused": "old"}))
				continue
			}
			if oldFound {
				must(objectmeta.SetObjectMeta(old, oldMeta))
			}
			defaulting.Default(old, of.structural)
			correlated := common.NewCorrelatedObject(u, old, &model.Structural{Structural: of.structural})
			errs = append(errs, validation.ValidateCustomResourceUpdate(nil, u, old, of.validator, validation.WithRatcheting(correlated))...)
			errs = append(errs, objectmeta.Validate(nil, u, of.structural, false)...)
			if len(listtype.ValidateListSetsAndMaps(nil, of.structural, old)) == 0 {
				errs = append(errs, listtype.ValidateListSetsAndMaps(nil, of.structural, u)...)
			}
			blocked := false
			for _, e := range errs {
				if e.Type == field.ErrorTypeNotSupported || e.Type == field.ErrorTypeRequired || e.Type == field.ErrorTypeTooLong || e.Type == field.ErrorTypeTooMany || e.Type == field.ErrorTypeTypeInvalid {
					blocked = true
				}
			}
			if blocked && of.cel != nil {
				errs = append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
			} else if of.cel != nil {
				e, _ := of.cel.Validate(context.TODO(), nil, of.structural, u, old, celconfig.RuntimeCELCostBudget, schemacel.WithRatcheting(correlated))
				errs = append(errs, e...)
			}
			texts := []string{}
			for _, e := range errs {
				texts = append(texts, e.Error())
			}
			answer["errors"] = texts
			must(out.Encode(answer))
			continue
		}
		errs = append(errs, validation.ValidateCustomResource(nil, u, of.validator)...)
		errs = append(errs, objectmeta.Validate(nil, u, of.structural, false)...)
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, of.structural, u)...)
		blocked := false
		for _, e := range errs {
			if e.Type == field.ErrorTypeNotSupported || e.Type == field.ErrorTypeRequired || e.Type == field.ErrorTypeTooLong || e.Type == field.ErrorTypeTooMany || e.Type == field.ErrorTypeTypeInvalid {
				blocked = true
			}
		}
		if blocked && of.cel != nil {
			errs = append(errs, field.Invalid(nil, nil, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"))
		} else if of.cel != nil && !blocked {
			e, _ := of.cel.Validate(context.TODO(), nil, of.structural, u, nil, celconfig.RuntimeCELCostBudget)
			errs = append(errs, e...)
		}
		texts := []string{}
		for _, e := range errs {
			texts = append(texts, e.Error())
		}
		answer["unknown"] = append(unknown, more...)
		answer["object"] = u
		answer["errors"] = texts
		must(out.Encode(answer))
	}
}
