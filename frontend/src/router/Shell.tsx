import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router';
import { CircleUser, FolderGit2, History, KeyRound, LogOut, Monitor, Moon, PanelLeft, Rocket, Sun, UserCog, Users, Workflow, Wrench, type LucideIcon } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useLiveStatus } from '../api/live';
import { meQuery } from '../api/me';
import { sentenceOf } from '../api/problem';
import { signOut } from '../api/account';
import icon from '../ui/icon.svg';
import { IconButton } from '../ui/Button';
import { Menu, MenuChoices, MenuItem, MenuLine, MenuText } from '../ui/Menu';
import { setTheme, useTheme, type Theme } from '../ui/theme';
import css from './Shell.module.css';

/** Rail, top bar and the page between them. */
export function Shell() {
  const [folded, fold] = useRail();
  return (
    <div className={css.shell} data-folded={folded || undefined}>
      <a className={css.skip} href="#main">
        To the content
      </a>
      <Rail />
      <header className={css.topbar}>
        <IconButton label={folded ? 'Unfold the navigation' : 'Fold the navigation'} className={css.fold} onClick={fold}>
          <PanelLeft />
        </IconButton>
        <span className={css.space} />
        <LiveState />
        <ThemeMenu />
        <UserMenu />
      </header>
      <main id="main" className={css.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Announcer />
    </div>
  );
}

/** Whether the rail is folded; in the editor it begins so, as width is what one draws in, and that is remembered apart. */
function useRail(): [boolean, () => void] {
  const [folds, setFolds] = useState(() => ({
    rail: localStorage.getItem('rail') === 'folded',
    'rail-of-editor': localStorage.getItem('rail-of-editor') !== 'open',
  }));
  const key = useRouterState({ select: ({ location }) => (location.pathname.endsWith('/edit') ? 'rail-of-editor' : 'rail') });
  const fold = () => {
    localStorage.setItem(key, folds[key] ? 'open' : 'folded');
    setFolds({ ...folds, [key]: !folds[key] });
  };
  return [folds[key], fold];
}

const PLACES: { to: '/pipelines' | '/runs' | '/deployments' | '/code' | '/settings/secrets' | '/settings/members'; word: string; Icon: LucideIcon }[] = [
  { to: '/pipelines', word: 'Pipelines', Icon: Workflow },
  { to: '/runs', word: 'Runs', Icon: History },
  { to: '/deployments', word: 'Deployments', Icon: Rocket },
  { to: '/code', word: 'Code', Icon: FolderGit2 },
  { to: '/settings/secrets', word: 'Secrets', Icon: KeyRound },
  { to: '/settings/members', word: 'Members', Icon: Users },
];

function Rail() {
  return (
    <nav className={css.rail} aria-label="Main">
      <Link to="/pipelines" className={css.brand} aria-label="Orchestrator, home">
        <img src={icon} alt="" width={24} height={24} />
        <span className={css.word}>Orchestrator</span>
      </Link>
      <ul className={css.places}>
        {PLACES.map(({ to, word, Icon }) => (
          <li key={to}>
            <Link to={to} className={css.place} activeProps={{ className: css.here ?? '' }} title={word}>
              <Icon size={16} aria-hidden />
              <span className={css.word}>{word}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Nothing is said while all is well: a dot; words when what is shown may be old. */
function LiveState() {
  const status = useLiveStatus();
  return (
    <span role="status" className={css.liveArea}>
      {status === 'open' && (
        <span className={css.live} title="Changes appear by themselves">
          <span className={css.dot} aria-hidden /> Live
        </span>
      )}
      {status === 'reconnecting' && (
        <span className={css.live} data-look="retrying">
          <span className={css.dot} aria-hidden /> Reconnecting
        </span>
      )}
    </span>
  );
}

const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

function ThemeMenu() {
  const theme = useTheme();
  const Icon = { system: Monitor, light: Sun, dark: Moon }[theme];
  return (
    <Menu
      trigger={
        <IconButton label="Theme">
          <Icon />
        </IconButton>
      }
    >
      <MenuChoices label="Theme" value={theme} choices={THEMES} onChange={(next) => setTheme(next as Theme)} />
    </Menu>
  );
}

function UserMenu() {
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const [problem, setProblem] = useState<string | null>(null);
  const leave = async () => {
    try {
      await signOut();
      // A full load: nothing of this person stays in memory.
      window.location.assign('/sign-in');
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <>
      {problem !== null && (
        <span role="alert" className={css.problem}>
          {problem}
        </span>
      )}
      <Menu
        trigger={
          <button type="button" className={css.user}>
            <CircleUser size={16} aria-hidden />
            <span className={css.userName}>{me ? me.name || me.username : 'Account'}</span>
          </button>
        }
      >
        {me && (
          <MenuText>
            <div className={css.me}>{me.name || me.username}</div>
            <div className={css.mail}>{me.email ?? me.username}</div>
            {me.teams.map((team) => (
              <div key={team.slug} className={css.mail}>
                {team.name}: {team.roles.join(', ')}
              </div>
            ))}
          </MenuText>
        )}
        <MenuLine />
        <MenuItem onSelect={() => void navigate({ to: '/account' })}>
          <UserCog aria-hidden /> Your account
        </MenuItem>
        <MenuItem onSelect={() => void navigate({ to: '/settings/tokens' })}>
          <KeyRound aria-hidden /> My tokens
        </MenuItem>
        {me?.is_superuser && (
          <MenuItem onSelect={() => window.location.assign('/admin/')}>
            <Wrench aria-hidden /> Admin console
          </MenuItem>
        )}
        <MenuItem onSelect={() => void leave()}>
          <LogOut aria-hidden /> Sign out
        </MenuItem>
      </Menu>
    </>
  );
}

/** Reads out the title when the page has changed, and puts the focus where the page begins. */
function Announcer() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const router = useRouter();
  const [title, setTitle] = useState('');
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    document.getElementById('main')?.focus({ preventScroll: true });
    const timer = setTimeout(() => setTitle(document.title), 300);
    return () => clearTimeout(timer);
  }, [path, router]);
  return (
    <div role="status" className="visually-hidden">
      {title}
    </div>
  );
}
