import { invalid, path } from '../../src/machinery/field-error.ts';
import { kindSchema, type KubeObject } from '../../src/machinery/meta.ts';
import type { ResourceDescriptor } from '../../src/machinery/resource.ts';
import {
  int32,
  object,
  optional,
  required,
  string,
  type Infer,
} from '../../src/machinery/schema.ts';
import { nameColumn } from '../../src/api/core/v1/columns.ts';

const WidgetSchema = kindSchema('com.example.v1.Widget', 'Widget is a thing with a size.', {
  spec: required(
    2,
    object('com.example.v1.WidgetSpec', 'What is wanted of a widget.', {
      size: required(1, int32(), 'How large it is, in millimetres.'),
    }),
    'What is wanted of the widget.',
  ),
});
type Widget = Infer<typeof WidgetSchema>;

/** The old version wrote the size as text. */
const OldWidgetSchema = kindSchema('com.example.v1beta1.Widget', 'Widget is a thing with a size.', {
  length: optional(2, string(), 'How large it is, such as 10mm.'),
});
type OldWidget = Infer<typeof OldWidgetSchema>;

/** A resource in two versions that no server has of its own. */
export const widgetResource: ResourceDescriptor<Widget> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  shortNames: ['wd'],
  namespaced: true,
  stored: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  schema: WidgetSchema,
  tracksGeneration: true,
  otherVersions: [
    {
      version: 'v1beta1',
      schema: OldWidgetSchema,
      toStored(from: KubeObject) {
        const { length, ...rest } = from as OldWidget;
        const size = Number.parseInt(length ?? '0', 10);
        return { ...rest, apiVersion: 'example.com/v1', spec: { size } };
      },
      fromStored({ spec, ...rest }: Widget) {
        return {
          ...rest,
          apiVersion: 'example.com/v1beta1',
          length: `${spec.size}mm`,
        } as KubeObject;
      },
    },
  ],
  validate: ({ spec }) =>
    spec.size > 0 ? [] : [invalid(path('spec').child('size'), spec.size, 'must be greater than 0')],
  columns: [
    nameColumn,
    {
      name: 'Size',
      type: 'integer',
      description: 'How large it is',
      cell: ({ spec }) => spec.size,
    },
  ],
};
