import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { endpointAddress } from '../../api/lineage';
import type { Artifact, Json, JsonMap, RegisteredVersion } from '../../api/types';
import { Ago, Fact, Facts, PersonName } from '../../ui/Facts';
import { JsonValue } from '../../ui/JsonValue';
import table from '../../ui/Table.module.css';
import css from './Preview.module.css';

const FIELDS: [string, string][] = [
  ['class', 'Class'],
  ['library', 'Library'],
  ['library_version', 'Library version'],
];

/** What is known of a model without opening it: how it was measured, as what it was registered, where it serves. */
export function ModelView({ artifact, reason, files }: { artifact: Artifact; reason: string; files: ReactNode }) {
  const { metadata, model_versions: versions, produced_by: producer } = artifact;
  const known = FIELDS.filter(([field]) => typeof metadata[field] === 'string');
  return (
    <>
      <div className={css.pad}>
        <Facts>
          {known.map(([field, word]) => (
            <Fact key={field} name={word}>
              <JsonValue value={metadata[field] as Json} />
            </Fact>
          ))}
          <Metrics metrics={producer?.metrics ?? {}} of="Metrics of the task" />
          {versions.map((version) => (
            <Registered key={version.id} version={version} />
          ))}
          {versions.length === 0 && (
            <Fact name="Registered">
              <span className={table.muted}>as no model version</span>
            </Fact>
          )}
        </Facts>
        <p className={css.soft}>{reason}</p>
      </div>
      {artifact.is_folder && files}
    </>
  );
}

function Registered({ version }: { version: RegisteredVersion }) {
  const { deployed_to: endpoints } = version;
  return (
    <>
      <Fact name={`${version.model} version ${version.version}`}>
        registered <Ago at={version.created_at} /> by <PersonName person={version.registered_by} none="a pipeline" />
        {endpoints.length > 0 ? ', serves at ' : ', serves nowhere'}
        {endpoints.map((endpoint, at) => (
          <span key={endpointAddress(endpoint)}>
            {at > 0 && ', '}
            <Link to="/deployments/$endpoint" params={{ endpoint: endpointAddress(endpoint) }}>
              {endpoint.name}
            </Link>{' '}
            ({endpoint.stage})
          </span>
        ))}
      </Fact>
      <Metrics metrics={version.metrics} of={`Metrics of version ${version.version}`} />
    </>
  );
}

function Metrics({ metrics, of }: { metrics: JsonMap; of: string }) {
  if (Object.keys(metrics).length === 0) return null;
  return (
    <Fact name={of}>
      <Facts>
        {Object.entries(metrics).map(([name, value]) => (
          <Fact key={name} name={name}>
            <JsonValue value={value} />
          </Fact>
        ))}
      </Facts>
    </Fact>
  );
}
