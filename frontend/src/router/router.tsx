import { lazyRouteComponent, Outlet } from '@tanstack/react-router';
import { History } from 'lucide-react';
import { addressOf } from '../api/pipelines';
import type { Pipeline } from '../api/types';
import { DeploymentsPage } from '../lineage/DeploymentsPage';
import { PipelinePage } from '../pipelines/PipelinePage';
import { PipelinesPage } from '../pipelines/PipelinesPage';
import { RunsPage } from '../runs/RunsPage';
import { RunsTable } from '../runs/RunsTable';
import { EmptyState } from '../ui/Feedback';
import { CrashPage, NotFoundPage, WaitPage } from './Edges';
import * as routes from './routes';
import { Shell } from './Shell';
import { AgainPage, ConfirmedPage } from '../signin/AgainPages';
import { ForgottenPage, ResetPage } from '../signin/ResetPages';
import { SignInPage } from '../signin/SignInPage';

/** A pipeline's page with its runs, which another room draws. */
function PipelineWithRuns() {
  return (
    <PipelinePage
      runs={(pipeline) => (
        <RunsTable filter={{ pipeline: addressOf(pipeline) }} withPipeline={false} empty={<NeverRun pipeline={pipeline} />} />
      )}
    />
  );
}

function NeverRun({ pipeline }: { pipeline: Pipeline }) {
  return (
    <EmptyState icon={<History />} title="Nothing has run yet">
      {howToStart(pipeline)}
    </EmptyState>
  );
}

function howToStart({ active_version: version, can }: Pipeline): string {
  if (version === null) return 'Publish a version first; then Run, at the top of this page, starts it.';
  return can.run
    ? 'Press Run at the top of this page; the run is listed here from its first second.'
    : 'Its runs are listed here from their first second. Somebody who may run it has to start one.';
}

routes.root.update({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: CrashPage });
routes.signIn.update({ component: SignInPage });
routes.forgotten.update({ component: ForgottenPage });
routes.reset.update({ component: ResetPage });
routes.again.update({ component: AgainPage });
routes.confirmed.update({ component: ConfirmedPage });
routes.account.update({ component: lazyRouteComponent(() => import('../account/AccountPage'), 'AccountPage') });
routes.shell.update({ component: Shell, pendingComponent: WaitPage, errorComponent: CrashPage });
routes.pipelines.update({ component: PipelinesPage });
routes.pipeline.update({ component: PipelineWithRuns });
routes.editor.update({ component: lazyRouteComponent(() => import('../editor/EditorPage'), 'EditorPage') });
routes.versions.update({ component: lazyRouteComponent(() => import('../editor/versions/VersionsPage'), 'VersionsPage') });
routes.comparison.update({ component: lazyRouteComponent(() => import('../editor/versions/ComparisonPage'), 'ComparisonPage') });
routes.runs.update({ component: RunsPage });
routes.run.update({ component: lazyRouteComponent(() => import('../runs/RunPage'), 'RunPage') });
routes.nowhere.update({ component: NotFoundPage });
routes.deployments.update({ component: DeploymentsPage });
routes.code.update({ component: lazyRouteComponent(() => import('../code/CodePage'), 'CodePage') });
routes.location.update({ component: lazyRouteComponent(() => import('../code/LocationPage'), 'LocationPage') });
routes.secrets.update({ component: lazyRouteComponent(() => import('../settings/SecretsPage'), 'SecretsPage') });
routes.members.update({ component: lazyRouteComponent(() => import('../access/MembersPage'), 'MembersPage') });
routes.tokens.update({ component: lazyRouteComponent(() => import('../access/TokensPage'), 'TokensPage') });
routes.serviceAccount.update({ component: lazyRouteComponent(() => import('../access/ServiceAccountPage'), 'ServiceAccountPage') });
routes.environments.update({ component: lazyRouteComponent(() => import('../environments/EnvironmentsPage'), 'EnvironmentsPage') });
routes.environment.update({ component: lazyRouteComponent(() => import('../environments/EnvironmentPage'), 'EnvironmentPage') });
routes.artifact.update({ component: lazyRouteComponent(() => import('../lineage/ArtifactPage'), 'ArtifactPage') });
routes.deployment.update({ component: lazyRouteComponent(() => import('../lineage/DeploymentPage'), 'DeploymentPage') });

export { makeRouter } from './routes';
