import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Trace } from '../api/types';
import { CopyButton, Digest, Fact, Facts, Moment, PersonName } from '../ui/Facts';
import { SearchBox } from '../ui/Fields';
import { formatBytes, formatCount, plural } from '../ui/format';
import { JsonValue } from '../ui/JsonValue';
import { Section } from '../ui/Page';
import table from '../ui/Table.module.css';
import { cx } from '../ui/cx';
import css from './TraceFacts.module.css';

/** The answers an auditor comes for, each in its own place; a fact that is missing says so. */
export function TraceFacts({ trace }: { trace: Trace }) {
  return (
    <div className={css.grid}>
      <ModelSection trace={trace} />
      <ApprovalSection trace={trace} />
      <DataSection trace={trace} />
      <CodeSection trace={trace} />
      <ParametersSection trace={trace} />
      <PackagesSection trace={trace} />
      <GapsSection trace={trace} />
    </div>
  );
}

function ModelSection({ trace: { model } }: { trace: Trace }) {
  const metrics = Object.entries(model?.metrics ?? {});
  return (
    <Section title="Model and metrics">
      {model === null ? (
        <p className={css.none}>Not recorded.</p>
      ) : (
        <Facts>
          <Fact name="Model">
            <Link to="/artifacts/$artifactId" params={{ artifactId: model.artifact }}>
              {model.name} version {model.version}
            </Link>
          </Fact>
          <Fact name="Digest">
            <Digest value={model.sha256} />
          </Fact>
          {metrics.map(([name, value]) => (
            <Fact key={name} name={name}>
              <JsonValue value={value} />
            </Fact>
          ))}
          {metrics.length === 0 && <Fact name="Metrics">none recorded</Fact>}
        </Facts>
      )}
    </Section>
  );
}

function ApprovalSection({ trace: { approval } }: { trace: Trace }) {
  return (
    <Section title="Approval">
      {approval === null ? (
        <p className={css.none}>No person approved this on its way: its pipeline has no approval task.</p>
      ) : (
        <Facts>
          <Fact name="Decision">{approval.decision === 'approved' ? 'Approved' : 'Rejected'}</Fact>
          <Fact name="By">
            <PersonName person={approval.by} />
            {approval.was_requester && ', who also asked for the run'}
          </Fact>
          <Fact name="At">
            <Moment at={approval.at} />
          </Fact>
          {approval.comment && <Fact name="Comment">{approval.comment}</Fact>}
          <Fact name="On digest">
            <Digest value={approval.digest} />
          </Fact>
        </Facts>
      )}
    </Section>
  );
}

function DataSection({ trace: { data } }: { trace: Trace }) {
  return (
    <Section title="Data" count={data.length} flush>
      {data.length === 0 ? (
        <p className={css.pad}>No data was recorded.</p>
      ) : (
        <div className={table.scroller}>
          <table className={cx(table.table, table.dense)}>
            <thead>
              <tr>
                <th>Name</th>
                <th>Digest</th>
                <th className={table.right}>Size</th>
                <th className={table.right}>Rows</th>
              </tr>
            </thead>
            <tbody>
              {data.map((item) => (
                <tr key={`${item.name} ${item.sha256}`}>
                  <td>
                    <Link to="/artifacts/$artifactId" params={{ artifactId: item.artifact }}>
                      {item.name}
                    </Link>
                  </td>
                  <td>
                    <Digest value={item.sha256} />
                  </td>
                  <td className={cx(table.right, table.nowrap)}>{item.size === null ? '–' : formatBytes(item.size)}</td>
                  <td className={table.right}>{item.rows === null ? '–' : formatCount(item.rows)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

const CODE_WORDS = { snapshot: 'snapshot', inline: 'inline', builtin: 'built in' };

function CodeSection({ trace: { code } }: { trace: Trace }) {
  return (
    <Section title="Code" count={code.length} flush>
      {code.length === 0 ? (
        <p className={css.pad}>No code was recorded.</p>
      ) : (
        <div className={table.scroller}>
          <table className={cx(table.table, table.dense)}>
            <thead>
              <tr>
                <th>Location</th>
                <th>Snapshot</th>
                <th>Commit</th>
                <th>Entry point</th>
              </tr>
            </thead>
            <tbody>
              {code.map((item) => (
                <tr key={`${item.location} ${item.snapshot} ${item.entry ?? ''}`}>
                  <td>{item.location || CODE_WORDS[item.kind]}</td>
                  <td>
                    <Digest value={item.snapshot} />
                  </td>
                  <td>
                    {item.commit ? (
                      <span title={item.commit.sha}>
                        <code>{item.commit.sha.slice(0, 10)}</code> {item.commit.subject}
                        {item.commit.dirty && ', with uncommitted changes'}
                      </span>
                    ) : (
                      '–'
                    )}
                  </td>
                  <td>{item.entry ? <code>{item.entry}</code> : '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function ParametersSection({ trace: { parameters } }: { trace: Trace }) {
  const entries = Object.entries(parameters);
  return (
    <Section title="Parameters" count={entries.length}>
      {entries.length === 0 ? (
        <p className={css.none}>The run took none.</p>
      ) : (
        <Facts>
          {entries.map(([name, value]) => (
            <Fact key={name} name={name}>
              <JsonValue value={value} />
            </Fact>
          ))}
        </Facts>
      )}
    </Section>
  );
}

function PackagesSection({ trace: { environment } }: { trace: Trace }) {
  const [q, setQ] = useState('');
  const packages = useMemo(() => packagesOf(environment), [environment]);
  const shown = packages.filter((each) => each.name.toLowerCase().includes(q.toLowerCase()));
  return (
    <Section
      title="Packages"
      count={packages.length}
      actions={
        <div className={css.actions}>
          <SearchBox label="Find a package" value={q} onChange={setQ} />
          <CopyButton label="Copy as requirements" text={() => packages.map((each) => `${each.name}==${each.version}`).join('\n')} />
        </div>
      }
    >
      {environment.length === 0 ? (
        <p className={css.none}>No environment was recorded.</p>
      ) : (
        <>
          <ul className={css.environments}>
            {environment.map((each) => (
              <li key={each.fingerprint}>
                Python {each.python}, {plural(each.packages.length, 'package')} <Digest value={each.fingerprint} />
              </li>
            ))}
          </ul>
          <ul className={css.packages} tabIndex={0} aria-label="Packages">
            {shown.map((each) => (
              <li key={`${each.name} ${each.version}`}>
                <span>{each.name}</span>
                <code>{each.version}</code>
              </li>
            ))}
            {shown.length === 0 && <li className={css.none}>No package has “{q}” in its name.</li>}
          </ul>
        </>
      )}
    </Section>
  );
}

function packagesOf(environment: Trace['environment']): { name: string; version: string }[] {
  const known = new Map(environment.flatMap((each) => each.packages).map((each) => [`${each.name} ${each.version}`, each]));
  return [...known.values()].sort((a, b) => a.name.localeCompare(b.name));
}

function GapsSection({ trace: { gaps } }: { trace: Trace }) {
  return (
    <Section title="Gaps" count={gaps.length}>
      {gaps.length === 0 ? (
        <p className={css.none}>None: every record on the way holds all its facts.</p>
      ) : (
        <ul className={css.gaps} data-look="retrying">
          {gaps.map((gap) => (
            <li key={`${gap.record} ${gap.code}`}>
              <p>{gap.message}</p>
              <code>{gap.code}</code>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
